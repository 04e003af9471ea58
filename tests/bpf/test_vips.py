# SPDX-License-Identifier: BSD-2-Clause
"""VIPs that share a bucket: each is found, whatever its place in the chain, and an address that only falls into the bucket is not."""
import ipaddress
import itertools

from harness import MASK, TX, address_bytes, sent_dsr
from world import PORT_MAC, backend, backend_mac, l3, link, make, on, service, slots, tcp

CHAIN = 8


def addr_bucket(text):
    """weir_addr_bucket, by its definition."""
    data = address_bytes(text)
    word = [int.from_bytes(data[i:i + 4], "little") for i in range(0, 16, 4)]
    first, second = word[0] << 32 | word[1], word[2] << 32 | word[3]
    return ((first * 0x9e3779b97f4a7c15 & MASK) ^ second) * 0xbf58476d1ce4e5b9 % (1 << 64) >> 50


def neighbours(first, count):
    """`count` addresses of first's bucket, the first one among them."""
    first = ipaddress.ip_address(first)
    bucket = addr_bucket(str(first))
    same = (str(first + step) for step in itertools.count() if addr_bucket(str(first + step)) == bucket)
    return list(itertools.islice(same, count))


def check(bench, name, family, vip, is_vip):
    frame = on(link(), l3(family, dst=vip) / tcp())
    if is_vip:
        bench.check(name, frame, TX, sent_dsr(frame, backend_mac(1), PORT_MAC), "forwarded")
    else:
        bench.untouched(name, frame)


def chain(bench, family, first):
    *vips, stranger = neighbours(first, CHAIN + 1)
    for vip in vips:
        bench.tell(f"vip {vip} 6:80-80:0")
    for place, vip in enumerate(vips):
        check(bench, f"ip{family}, {place + 1} of {CHAIN} in a bucket", family, vip, True)
    check(bench, f"ip{family}, no VIP, but of that bucket", family, stranger, False)
    for place in (CHAIN - 1, 3, 0):
        bench.tell(f"none {vips[place]}")
    for place, vip in enumerate(vips):
        check(bench, f"ip{family}, {place + 1} of {CHAIN}, after three have gone", family, vip, place not in (CHAIN - 1, 3, 0))


if __name__ == "__main__":
    world = make(backend(1), service(0), slots(0, 1))
    chain(world, 4, "203.0.113.1")
    chain(world, 6, "2001:db8:7::1")
    world.end()
