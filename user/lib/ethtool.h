/* SPDX-License-Identifier: BSD-2-Clause */
/* What the driver of an interface says of itself, by the ethtool ioctl. */
#ifndef WEIR_ETHTOOL_H
#define WEIR_ETHTOOL_H

#include <stdbool.h>
#include <stddef.h>

/* The driver's name ("veth", "mlx5_core") into driver[size]. 0 or -errno. */
int ethtool_driver(const char *name, char *driver, size_t size);
/* Whether the interface takes VLAN tags off received frames before XDP sees them (rx-vlan-offload). 0 or -errno. */
int ethtool_rxvlan(const char *name, bool *on);

#endif
