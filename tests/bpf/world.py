# SPDX-License-Identifier: BSD-2-Clause
"""The little world that the tests of the data path share: a node with two ports and two VIPs, its clients, peers and backends."""
from harness import OTHER_PORT, PORT, Bench, flow_hash, sent_dsr, sent_ipip
from scapy.all import Dot1Q, Ether, ICMP, IP, IPv6, Raw, TCP, UDP, raw

VIP4, VIP6 = "192.0.2.10", "2001:db8:1::10"
CLIENT4, CLIENT6 = "198.51.100.7", "2001:db8:c::7"
NODE4, NODE6 = "10.0.0.2", "2001:db8:2::2"
PEER4, PEER6 = "10.0.0.3", "2001:db8:2::3"
BACKEND4, BACKEND6 = "10.0.0.{}", "2001:db8:2::{:x}"

PORT_MAC, OTHER_MAC, ROUTER_MAC, PEER_MAC = "02:00:00:00:00:02", "02:00:00:00:00:03", "02:00:00:00:01:01", "02:00:00:00:01:aa"
BROADCAST_MAC, VRRP_MAC, VRRP6_MAC = "ff:ff:ff:ff:ff:ff", "00:00:5e:00:01:33", "00:00:5e:00:02:33"
SLOT_BITS = 12
SLOTS = 1 << SLOT_BITS


def backend_mac(index):
    return f"02:00:00:00:0b:{index:02x}"


def backend(index, flags="resolved", port=PORT, mtu=1500, tags="keep", outer=4):
    """The command that makes backend `index` reachable by `port`."""
    src, dst = (NODE6, BACKEND6.format(index)) if outer == 6 else (NODE4, BACKEND4.format(index))
    flags += ",ip6" if outer == 6 else ""
    own = PORT_MAC if port == PORT else OTHER_MAC
    return f"backend {index} {flags} {port} {mtu} {backend_mac(index)} {own} {tags} {src} {dst}"


def service(index, forward="dsr", affinity="flow", more=""):
    """Service `index` has the slots from index * SLOTS on."""
    return f"service {index} {index * SLOTS} {SLOT_BITS} {forward} {affinity} {more}"


def slots(index, backend_index):
    return f"slots {index * SLOTS} {SLOTS} {backend_index}"


def make(*commands, room=()):
    """A bench with the node's ports, and these commands done; room: for how many openings and pins."""
    bench = Bench(*room)
    bench.tell(f"port 0 {PORT} {PORT_MAC}\nport 1 {OTHER_PORT} {OTHER_MAC}")
    for command in commands:
        bench.tell(command)
    return bench


def link(dst=PORT_MAC, src=ROUTER_MAC, tags=()):
    """Ethernet with 802.1Q (or 802.1ad: (0x88a8, id)) tags."""
    frame = Ether(dst=dst, src=src, type=0x0800)
    for tag in tags:
        tpid, vlan = tag if isinstance(tag, tuple) else (0x8100, tag)
        last = frame.lastlayer()
        last.type = tpid
        frame = frame / Dot1Q(vlan=vlan, prio=3)
    return frame


def l3(family, src=None, dst=None, **more):
    if family == 4:
        return IP(src=src or CLIENT4, dst=dst or VIP4, **more)
    return IPv6(src=src or CLIENT6, dst=dst or VIP6, **more)


def on(frame, packet):
    """The packet in the frame, ethertype set in the last link layer."""
    frame = frame.copy()
    frame.lastlayer().type = 0x0800 if isinstance(packet, IP) else 0x86dd
    return frame / packet


def framed(data, tags=(), padding=b"", **macs):
    """An IP packet given as bytes, in a frame."""
    head = bytearray(raw(link(tags=tags, **macs)))
    head[-2:] = b"\x86\xdd" if data[0] >> 4 == 6 else b"\x08\x00"
    return bytes(head) + data + padding


def tcp(sport=40000, dport=80, flags="A", data=b"hello, backend", **more):
    return TCP(sport=sport, dport=dport, flags=flags, seq=1000, ack=1, **more) / Raw(data)


def udp(sport=40000, dport=53, data=b"hello, backend"):
    return UDP(sport=sport, dport=dport) / Raw(data)


def echo(family):
    from scapy.all import ICMPv6EchoRequest
    return ICMP() / Raw(b"ping") if family == 4 else ICMPv6EchoRequest(data=b"ping")


def spread(index, first, count, **more):
    """The commands that spread service `index` over `count` backends from `first` on, 32 slots each in turn."""
    return ([backend(first + number, **more) for number in range(count)] +
            [f"slots {index * SLOTS + slot} 32 {first + slot // 32 % count}" for slot in range(0, SLOTS, 32)])


def spread_backend(h, first, count):
    """The backend of a flow with this hash."""
    return first + (h >> (64 - SLOT_BITS)) // 32 % count


def client_flow(family, sport, dport, proto, client=None, vip=None):
    """The hash of a flow from the client to the VIP."""
    return flow_hash(client or (CLIENT4, CLIENT6)[family == 6], vip or (VIP4, VIP6)[family == 6], sport, dport, proto)


def expected(frame, outer, back, tags=None, own=PORT_MAC, label=0):
    """The frame as it goes out to backend `back`: by dsr (outer = 0), or in an outer header of this family."""
    if outer == 0:
        return sent_dsr(frame, backend_mac(back), own, tags)
    src, dst = (NODE4, BACKEND4.format(back)) if outer == 4 else (NODE6, BACKEND6.format(back))
    return sent_ipip(frame, backend_mac(back), own, src, dst, label, tags)
