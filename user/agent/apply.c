/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wanted configuration -> effective state. In: from start.c, reload.c, changes.c. Out: the model (and by its
 * observer, the maps), ways watched, agent->wanted, runtime.conf, the service manager's status line.
 */
#include "apply.h"

#include <errno.h>
#include <grp.h>
#include <string.h>

#include "../lib/log.h"
#include "state.h"
#include "tally.h"
#include "turn.h"
#include "ways.h"

static gid_t group_id(const char *name)
{
	const struct group *group = *name ? getgrnam(name) : NULL;

	if (*name && !group)
		log_warn("control: write group %s: there is no such group, so only root may change anything", name);
	return group ? group->gr_gid : (gid_t)-1;
}

int apply_config(struct agent *agent, struct config *wanted, struct error *error)
{
	bool other_group = strcmp(agent->wanted.write_group, wanted->write_group) != 0;

	if (ways_watch(agent, wanted) != 0)
		return error_set(error, ERROR_REFUSED, "out of memory");
	if (model_apply(&agent->model, wanted, error) != 0) {
		ways_trim(agent, &agent->wanted);
		return -1;
	}
	config_free(&agent->wanted);
	agent->wanted = *wanted;
	memset(wanted, 0, sizeof(*wanted));
	ways_trim(agent, &agent->wanted);
	ways_watch_leaving(agent);
	ways_tell_plane(agent, &agent->wanted);
	tally_update(agent);
	turn_kick(agent);
	if (other_group)
		agent->write_group = group_id(agent->wanted.write_group);
	tally_tell_status(agent);
	return 0;
}

int apply_copy_overlay(const struct overlay *from, struct overlay *to)
{
	struct errors errors = {0};
	struct buf text = {0};
	int err;

	overlay_text(from, &text);
	err = text.failed ? -1 : overlay_parse(to, NULL, text.data ? text.data : "", text.length, &errors);
	errors_free(&errors);
	buf_free(&text);
	return err ? -ENOMEM : 0;
}

int apply_change(struct agent *agent, struct overlay *overlay, struct config *wanted, struct error *error)
{
	struct error again = {0};

	if (state_save(agent, overlay, error) != 0)
		return -1;
	if (apply_config(agent, wanted, error) != 0) {
		if (state_save(agent, &agent->overlay, &again) != 0)
			log_error("a change that was refused is still in %s/runtime.conf: %s", agent->options.state_dir,
				  again.text);
		return -1;
	}
	overlay_free(&agent->overlay);
	agent->overlay = *overlay;
	memset(overlay, 0, sizeof(*overlay));
	return 0;
}
