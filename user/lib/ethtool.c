/* SPDX-License-Identifier: BSD-2-Clause */
/* ethtool.h. In: an interface's name. Out: what its driver answers. */
#include "ethtool.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int ask(const char *name, void *command)
{
	struct ifreq request = {.ifr_data = command};
	int fd, err;

	if (strlen(name) >= sizeof(request.ifr_name))
		return -ENAMETOOLONG;
	memcpy(request.ifr_name, name, strlen(name));
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	err = ioctl(fd, SIOCETHTOOL, &request) < 0 ? -errno : 0;
	close(fd);
	return err;
}

int ethtool_driver(const char *name, char *driver, size_t size)
{
	struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};
	int err = ask(name, &info);

	if (!err)
		snprintf(driver, size, "%.*s", (int)sizeof(info.driver), info.driver);
	return err;
}

int ethtool_rxvlan(const char *name, bool *on)
{
	struct ethtool_value flags = {.cmd = ETHTOOL_GFLAGS};
	int err = ask(name, &flags);

	if (!err)
		*on = flags.data & ETH_FLAG_RXVLAN;
	return err;
}
