/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * World: all PFs and VFs that the daemon sees, in one call
 */
#pragma once

#include <json-c/json.h>

#include "cli/cli.h"
#include "cli/name.h"

/*
 * A list of PFs by address, each with "kind": "pf" and its VFs by index as "children"; VFs have
 * "kind": "vf" and their PF's address as "pf". A VF whose PF is not there (an orphan) stands among
 * the PFs, at the end.
 */
int world_get(Cli *c, json_object **ret);
/* With these keys alone, ending with NULL, as far as a function has them; "address", "index" and "pf" must be among them. */
int world_get_keys(Cli *c, const char *const *keys, json_object **ret);
/* All keys, without a word, on a connection that is there. 0 or a negative errno. */
int world_try_get(Cli *c, json_object **ret, sd_bus_error *ret_error);

/* The PF of that name if there is just one, and it has VFs; NULL: it is something else. Borrowed. */
json_object *world_pf(json_object *world, const Name *name);

/* True if one of the PF's VFs has this address. */
bool world_vf_at(json_object *pf, const char *address);

/* How many functions are meant; the first in *ret, or NULL. */
uint32_t world_match(json_object *world, const Name *name, json_object **ret);

/* The record that a name means (name.h has the forms). Borrowed from the world. */
int world_find(Cli *c, json_object *world, const char *name, json_object **ret);
/* The same where it must be a PF. */
int world_find_pf(Cli *c, json_object *world, const char *name, json_object **ret);
