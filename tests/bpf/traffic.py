# SPDX-License-Identifier: BSD-2-Clause
"""Generated traffic that is for no service: half of it has nothing to do with one, half misses one as narrowly as it can.

Put together from bytes, not by scapy, which is too slow for tens of thousands. What is served is one table here (SERVED), from which the commands
that load the program are made too. Every generator gets `Traffic` with its own random numbers and returns a Packet.
"""
import random
import struct
from collections import namedtuple
from socket import AF_INET, AF_INET6, inet_pton

from harness import OTHER_PORT, PORT, UNKNOWN_PORT, mac_bytes
from world import (CLIENT4, CLIENT6, NODE4, NODE6, OTHER_MAC, PEER4, PEER6, PEER_MAC, PORT_MAC, ROUTER_MAC, backend, service, slots)

TCP, UDP, ICMP, ICMP6 = 6, 17, 1, 58
IP4, IP6, ARP = 0x0800, 0x86dd, 0x0806
WEB, ANY, MANY = 10, 20, 30  # the last byte of three VIPs; no two of them are one bit apart
# what is served on each of them, in both families: (protocol, first port, last port, service)
SERVED = {
    WEB: [(TCP, 80, 80, 1), (TCP, 443, 443, 2), (TCP, 8000, 8099, 3), (UDP, 53, 53, 4)],
    ANY: [(UDP, 0, 65535, 5)],
    MANY: [(TCP, 1000 + 10 * i, 1000 + 10 * i + i % 3, 1 + i % 5) for i in range(20)] + [(UDP, 5000, 5999, 3), (UDP, 7000, 7000, 2)],
}
SERVICES = [service(1), service(2, "ipip"), service(3, "ipip", "client"), service(4, "dsr", "none"), service(5, "dsr", "client", "local")]
BACKENDS = [backend(1), backend(2), backend(3, outer=6), backend(4, port=OTHER_PORT), backend(5, flags="resolved,local")]
OTHER_PROTOCOLS = [2, 4, 33, 41, 46, 47, 50, 88, 89, 94, 103, 108, 112, 115, 132, 136, 255]

Packet = namedtuple("Packet", "kind near port data")  # near: how it misses, "" for one that is far off


def vip(last, family):
    return inet_pton(AF_INET, f"192.0.2.{last}") if family == 4 else inet_pton(AF_INET6, f"2001:db8:1::{last:x}")


VIPS = {family: [vip(last, family) for last in SERVED] for family in (4, 6)}


def is_served(last, proto, port):
    return any(p == proto and first <= port <= end for p, first, end, _ in SERVED[last])


def world():
    """The commands that load all this."""
    commands = SERVICES + BACKENDS + [slots(i, i) for i in range(1, 6)]
    for last, listeners in SERVED.items():
        words = " ".join(f"{p}:{first}-{end}:{index}" for p, first, end, index in sorted(listeners))
        commands += [f"vip 192.0.2.{last} {words}", f"vip 2001:db8:1::{last:x} {words}"]
    return commands + [f"self {NODE4}", f"self {NODE6}", f"peer 0 {PEER4} {PEER_MAC}", f"peer 1 {PEER6} {PEER_MAC}", "peers 2"]


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ip4(src, dst, proto, payload, options=b"", place=0, ident=0):
    """place: the field of flags and fragment offset."""
    words = 5 + len(options) // 4
    head = struct.pack("!BBHHHBBH", 0x40 | words, 0, 4 * words + len(payload), ident, place, 64, proto, 0) + src + dst + options
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def ip6(src, dst, proto, payload):
    return struct.pack("!IHBB", 6 << 28, len(payload), proto, 64) + src + dst + payload


def ip(src, dst, proto, payload):
    return (ip4 if len(src) == 4 else ip6)(src, dst, proto, payload)


def one_bit_off(address, family):
    return any(bin(int.from_bytes(address, "big") ^ int.from_bytes(own, "big")).count("1") == 1 for own in VIPS[family])


class Traffic:
    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.pick, self.below, self.bytes = self.rng.choice, self.rng.randrange, self.rng.randbytes

    # ---- parts ----

    def address(self, family):
        """Some machine's, no VIP's, none one bit off a VIP, no multicast."""
        while True:
            address = bytes([self.pick((10, 172, 192, 198, 203))]) + self.bytes(3) if family == 4 else b"\x20\x01" + self.bytes(14)
            if address not in VIPS[family] and not one_bit_off(address, family):
                return address

    def client(self, family):
        return self.pick((inet_pton(AF_INET, CLIENT4) if family == 4 else inet_pton(AF_INET6, CLIENT6), self.address(family)))

    def served(self, proto=None):
        """(VIP, protocol, port) of some listener."""
        last, (found, first, end, _) = self.pick([(last, l) for last in SERVED for l in SERVED[last] if proto in (None, l[0])])
        return last, found, self.pick((first, end, self.rng.randint(first, end)))

    def unserved_port(self, last, proto):
        edges = [edge for _, first, end, _ in SERVED[last] for edge in (first - 1, end + 1, (first & 0xff) << 8 | first >> 8)]
        while True:
            port = self.pick(edges + [0, 1, 22, 65535, self.below(65536)])
            if 0 <= port < 65536 and not is_served(last, proto, port):
                return port

    def transport(self, proto, sport, dport, data=None):
        data = self.bytes(self.below(64)) if data is None else data
        if proto == UDP:
            return struct.pack("!HHHH", sport, dport, 8 + len(data), self.below(65536)) + data
        if proto == TCP:
            return struct.pack("!HHIIBBHHH", sport, dport, self.below(1 << 32), 1, 0x50, self.pick((2, 16, 24, 17, 4)), 8192, 0, 0) + data
        return struct.pack("!HH", sport, dport) + self.bytes(20) + data

    def for_service(self, family):
        """A whole packet that would be forwarded."""
        last, proto, port = self.served()
        return ip(self.client(family), vip(last, family), proto, self.transport(proto, 40000, port))

    def far(self, family):
        proto = self.pick((TCP, UDP, TCP, UDP, self.pick(OTHER_PROTOCOLS)))
        return "", self.address(family), self.address(family), proto, self.transport(proto, self.below(65536), self.pick((80, 443, 53, self.below(65536))))

    def near(self, family, kinds=("other-port", "other-protocol", "source", "one-bit")):
        """(how it misses, source, destination, protocol, payload)"""
        kind = self.pick(kinds)
        last, proto, port = self.served()
        src, dst, sport = self.client(family), vip(last, family), self.pick((40000, port, self.below(65536)))
        if kind == "other-port":
            last = self.pick((WEB, MANY, ANY))
            proto = TCP if last == ANY else self.pick((TCP, UDP))
            dst, port = vip(last, family), self.unserved_port(last, proto)
        elif kind == "other-protocol":
            other = TCP + UDP - proto
            proto = other if not is_served(last, other, port) and self.below(2) else self.pick(OTHER_PROTOCOLS)
        elif kind == "source":
            src, dst, sport = dst, self.address(family), port
        else:
            flipped = int.from_bytes(dst, "big") ^ 1 << self.below(8 * len(dst))
            dst = flipped.to_bytes(len(dst), "big")
        return kind, src, dst, proto, self.transport(proto, sport, port)

    def ends(self, near, family):
        return self.near(family) if near else self.far(family)

    def family(self):
        return self.pick((4, 6))

    def frame(self, kind, near, packet, ethertype=None, tags=(), dst=None, padded=True):
        """Addressed to this machine unless said otherwise; now and then with padding."""
        port = self.pick((PORT, PORT, PORT, OTHER_PORT, UNKNOWN_PORT))
        own = {PORT: mac_bytes(PORT_MAC), OTHER_PORT: mac_bytes(OTHER_MAC), UNKNOWN_PORT: b"\x02" + self.bytes(5)}[port]
        src = self.pick((mac_bytes(ROUTER_MAC), mac_bytes(PEER_MAC), b"\x02" + self.bytes(5)))
        ethertype = ethertype or (IP4 if packet[0] >> 4 == 4 else IP6)
        head = (dst or own) + src + b"".join(struct.pack("!HH", *tag) for tag in tags) + struct.pack("!H", ethertype)
        return Packet(kind, near, port, head + packet + (self.bytes(self.below(30)) if padded and self.below(8) == 0 else b""))

    def group_mac(self):
        return self.pick((b"\xff" * 6, b"\x01\x00\x5e" + self.bytes(3), b"\x33\x33" + self.bytes(4), b"\x01\x80\xc2\x00\x00\x0e"))

    # ---- kinds: each by whether it shall be near ----

    def plain(self, near):
        how, *packet = self.ends(near, self.family())
        return self.frame("plain", how, ip(*packet))

    def vlan(self, near):
        how, *packet = self.ends(near, self.family())
        return self.frame("vlan", how, ip(*packet), tags=self.tags(self.pick((1, 1, 2))))

    def tags(self, count):
        return [(self.pick((0x8100, 0x88a8)), self.below(65536)) for _ in range(count)]

    def options(self, near):
        how, src, dst, proto, payload = self.ends(near, 4)
        return self.frame("options", how, ip4(src, dst, proto, payload, self.bytes(4 * self.rng.randint(1, 10))))

    def fragment(self, near):
        """A later one to a VIP shows no port; where a service has all ports of the protocol it would be for that."""
        family = self.family()
        how, src, dst, proto, payload = self.ends(near, family)
        place = self.rng.randint(0, 180) * self.below(2)
        more = self.below(2) if place else 1
        if place and dst == vip(ANY, family) and proto == UDP:
            proto = TCP
        if place:
            payload = self.bytes(8 * self.rng.randint(1, 20))
        if family == 4:
            packet = ip4(src, dst, proto, payload, place=more << 13 | place, ident=self.below(65536))
        else:
            packet = ip6(src, dst, 44, struct.pack("!BBHI", proto, 0, place << 3 | more, self.below(1 << 32)) + payload)
        return self.frame("fragment", how, packet)

    def extension_chain(self, proto, payload, count, left=0):
        """`count` headers in front of the payload; left: the segments left of a routing header, the first of them."""
        for i in range(count):
            kind = 43 if left and i == count - 1 else self.pick((0, 43, 44, 51, 60))
            units = self.below(3)
            if kind == 44:
                head = struct.pack("!BBHI", proto, 0, 0, self.below(1 << 32))
            elif kind == 51:
                head = struct.pack("!BB", proto, 4 + 2 * units) + self.bytes(4 * (4 + 2 * units) + 6)
            else:
                head = struct.pack("!BBBB", proto, units, 0, left if kind == 43 else 0) + self.bytes(4 + 8 * units)
            proto, payload = kind, head + payload
        return proto, payload

    def extension(self, near):
        how, src, dst, proto, payload = self.ends(near, 6)
        count, left = self.rng.randint(1, 5), 0
        if near and self.below(4) == 0:  # for a service, but for its chain: routed on from here, or longer than anybody's
            last, proto, port = self.served()
            how, dst, payload = "chain", vip(last, 6), self.transport(proto, 40000, port)
            count, left = self.pick(((count, 1), (9, 0)))
        return self.frame("extension", how, ip6(src, dst, *self.extension_chain(proto, payload, count, left)))

    def arp(self, near):
        own, other = (self.pick(VIPS[4]) if near else self.address(4)), self.address(4)
        sender, target = self.pick(((own, other), (other, own), (own, own)))
        packet = struct.pack("!HHBBH", 1, IP4, 6, 4, self.pick((1, 2))) + self.bytes(6) + sender + self.bytes(6) + target
        return self.frame("arp", "arp" if near else "", packet, ARP, dst=self.pick((b"\xff" * 6, None)))

    def multicast(self, near):
        family = self.family()
        group = b"\xe0\x00\x00" + self.bytes(1) if family == 4 else b"\xff\x02" + b"\0" * 13 + self.bytes(1)
        if not near:
            packet = ip(self.address(family), group, *self.far(family)[3:])
        elif self.below(2):
            return self.frame("multicast", "source", ip(self.pick(VIPS[family]), group, *self.far(family)[3:]), dst=self.group_mac())
        else:
            packet = self.for_service(family)
        return self.frame("multicast", "group-mac" if near else "", packet, dst=self.group_mac())

    def icmp(self, near):
        return self.control(near, 4)

    def icmp6(self, near):
        return self.control(near, 6)

    def control(self, near, family):
        kind, proto = ("icmp", ICMP) if family == 4 else ("icmp6", ICMP6)
        errors, others = ((3, 11, 12), (0, 4, 5, 8, 9, 10, 13, 14, 17, 18)) if family == 4 else ((1, 2, 3, 4), tuple(range(128, 138)) + (143,))
        if not near:
            body = self.pick((self.bytes(self.below(40)), ip(self.address(family), *self.far(family)[2:])))
            return self.frame(kind, "", ip(self.address(family), self.address(family), proto, self.message(self.pick(errors + others), body)))
        last, _, _ = self.served()
        how, type_, dst, body = self.quoting(last, family, self.pick(errors), self.pick(others))
        # padding would be read as the rest of a quote that is cut short
        return self.frame(kind, how, ip(self.client(family), dst, proto, self.message(type_, body)), padded=how != "quote-cut")

    def message(self, type_, body):
        return struct.pack("!BBH", type_, self.below(6), self.below(65536)) + self.bytes(4) + body

    def quoting(self, last, family, error, other):
        """(how it misses, ICMP type, destination, body) of a message to a VIP that is just not about a flow of a service there."""
        own, client = vip(last, family), self.client(family)
        proto, first = self.pick([(p, first) for p, first, _, _ in SERVED[last]])
        right = ip(own, client, proto, self.transport(proto, first, 40000))
        head = 20 if family == 4 else 40
        case = self.below(9)
        if case == 0:
            return "echo", 8 if family == 4 else 128, own, self.bytes(self.below(64))
        if case == 1:
            return "quote", other, own, right
        if case == 2:
            return "quote", error, self.address(family), right
        if case == 3:  # of a packet that another VIP sent, or another machine, or a neighbour of the VIP
            source = self.pick([address for address in VIPS[family] if address != own] + [client, self.near(family, ("one-bit",))[2]])
            return "quote", error, own, ip(source, client, proto, self.transport(proto, first, 40000))
        if case == 4:  # the client's packet, as it came
            return "quote", error, own, ip(client, own, proto, self.transport(proto, 40000, first))
        if case == 5 and last != ANY:
            return "quote", error, own, ip(own, client, proto, self.transport(proto, self.unserved_port(last, proto), 40000))
        if case == 6:
            return "quote", error, own, ip(own, client, self.pick((ICMP, ICMP6, 47, 50)), self.transport(proto, first, 40000))
        if case == 7:
            place = self.rng.randint(1, 180)
            later = ip4(own, client, proto, self.transport(proto, first, 40000), place=place) if family == 4 else \
                ip6(own, client, 44, struct.pack("!BBHI", proto, 0, place << 3, 1) + self.transport(proto, first, 40000))
            return "quote", error, own, later
        return "quote-cut", error, own, right[:self.rng.randint(0, head + 3)]

    def tunnel(self, near):
        """A packet for a service within another packet, to this node or to a VIP or to somebody; or from a peer, and just not for a service."""
        outer, inner = self.family(), self.family()
        packet = self.for_service(inner) if near else ip(*self.far(inner)[1:])
        node, peer = (inet_pton(AF_INET, NODE4), inet_pton(AF_INET, PEER4)) if outer == 4 else (inet_pton(AF_INET6, NODE6), inet_pton(AF_INET6, PEER6))
        src, dst = self.client(outer), self.pick((node, self.pick(VIPS[outer]), self.address(outer)))
        inside = self.pick(("ip", "gre", "vxlan", "gue"))
        if near and self.below(3) == 0:
            src, dst, inside = peer, node, "ip"
            packet = ip(*self.near(inner, ("other-port", "other-protocol", "source"))[1:])
        if inside in ("vxlan", "gue") and dst == vip(ANY, outer):
            dst = vip(WEB, outer)
        ethernet = self.bytes(12) + struct.pack("!H", IP4 if inner == 4 else IP6) + packet
        proto, payload = {
            "ip": (4 if inner == 4 else 41, packet),
            "gre": (47, struct.pack("!HH", 0, IP4 if inner == 4 else IP6) + packet),
            "vxlan": (UDP, self.transport(UDP, 40000, 4789, struct.pack("!II", 8 << 24, 77 << 8) + ethernet)),
            "gue": (UDP, self.transport(UDP, 40000, 6080, struct.pack("!BBH", 0, 4 if inner == 4 else 41, 0) + packet)),
        }[inside]
        return self.frame("tunnel", "inner" if near else "", ip(src, dst, proto, payload))

    def garbage(self, near):
        if near:
            return self.near_garbage()
        head = self.pick((b"", struct.pack("!H", IP4), struct.pack("!H", IP6), struct.pack("!HHH", 0x8100, 5, IP4), b"\x08\x06", b"\x88\xcc", b"\x88\x64"))
        data = self.bytes(12) + head + self.bytes(self.pick((self.below(64), self.below(1500))))
        return Packet("garbage", "", self.pick((PORT, OTHER_PORT, UNKNOWN_PORT)), data + b"\0" * max(0, 14 - len(data)))

    def near_garbage(self):
        """Packets for a service, cut off before their ports, in the wrong wrapping, or beside the point."""
        family = self.family()
        right = self.for_service(family)
        case = self.below(6)
        if case == 0:
            cut = self.frame("garbage", "cut", right)
            return cut._replace(data=cut.data[:14 + (20 if family == 4 else 40) + self.below(4)])
        if case == 1:
            return self.frame("garbage", "ethertype", right, IP6 if family == 4 else IP4)
        if case == 2:
            return self.frame("garbage", "ethertype", right, self.pick((len(right), 0x8847, 0x8864, 0x9100, 0x88cc, 0x0801, 0xffff)))
        if case == 3:
            return self.frame("garbage", "three-tags", right, tags=self.tags(3))
        if case == 4:
            mapped = b"\0" * 10 + b"\xff\xff" + vip(WEB, 4)
            return self.frame("garbage", "mapped", ip6(self.client(6), mapped, TCP, self.transport(TCP, 40000, 80)))
        strange = self.frame("garbage", "other-mac", right, dst=b"\x02\x77" + self.bytes(4))
        return strange._replace(port=PORT)


KINDS = {  # how many near misses of each kind, how many others
    "plain": (900, 2000), "vlan": (500, 300), "options": (400, 300), "fragment": (400, 300), "extension": (400, 300), "arp": (250, 300),
    "multicast": (300, 300), "icmp": (500, 300), "icmp6": (500, 300), "tunnel": (600, 200), "garbage": (250, 400),
}


def generate(seed):
    """All packets, in random order: the same ones for the same seed."""
    traffic = Traffic(seed)
    packets = []
    for kind, (near, far) in KINDS.items():
        packets += [getattr(traffic, kind)(True) for _ in range(near)] + [getattr(traffic, kind)(False) for _ in range(far)]
    traffic.rng.shuffle(packets)
    return packets


def traits(data):
    """What a frame has, found out from its bytes alone."""
    found, at = set(), 12
    while data[at:at + 2] in (b"\x81\x00", b"\x88\xa8"):
        found.add("vlan")
        at += 4
    ethertype, packet = int.from_bytes(data[at:at + 2], "big"), data[at + 2:]
    if data[0] & 1:
        found.add("multicast")
    if ethertype == ARP:
        found.add("arp")
    if ethertype == IP4 and len(packet) >= 20 and packet[0] >> 4 == 4:
        found |= {"options"} if packet[0] & 15 > 5 else set()
        found |= {"fragment"} if int.from_bytes(packet[6:8], "big") & 0x3fff else set()
        found |= {"icmp"} if packet[9] == ICMP else set()
    if ethertype == IP6 and len(packet) >= 48 and packet[0] >> 4 == 6:
        found |= {"extension"} if packet[6] in (0, 43, 44, 51, 60) else set()
        found |= {"fragment"} if packet[6] == 44 and int.from_bytes(packet[42:44], "big") & 0xfff9 else set()
        found |= {"icmp6"} if packet[6] == ICMP6 else set()
    return found


def is_near(data):
    """A VIP is somewhere in the frame, or one bit off is where the destination is."""
    at = 12
    while data[at:at + 2] in (b"\x81\x00", b"\x88\xa8"):
        at += 4
    packet = data[at + 2:]
    return any(address in data for family in VIPS for address in VIPS[family]) or \
        one_bit_off(packet[16:20], 4) or one_bit_off(packet[24:40], 6)
