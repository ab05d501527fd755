/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fault: the table of refusals and failures
 *
 * A sentence says which device, what happened and what to do next. In it stand {fn}, {other}, {number}, {limit},
 * {text}, {errno} and {why}, the last being strerror's words. Where number and limit are keys of a VF's attributes, {key} and
 * {needs} are their names, and {expects} says what that key takes. Nothing else is replaced.
 */
#include <stdio.h>

#include "base/macro.h"
#include "base/str.h"

#include "core/fault.h"

#define ERROR(name) "org.sriovd1.Error." name

typedef struct FaultRow {
        const char *name;
        int exit_status;
        const char *sentence;
} FaultRow;

static const FaultRow fault_table[_FAULT_MAX] = {
        [FAULT_NO_SUCH_DEVICE] = { ERROR("NoSuchDevice"), 10,
                                   "{text}: no such device; 'sriovctl list' shows them" },
        [FAULT_AMBIGUOUS] = { ERROR("NoSuchDevice"), 10,
                              "{text}: {number} devices fit, {fn} is one; name one by its "
                              "address" },
        [FAULT_NO_SUCH_SLOT] = { ERROR("NoSuchDevice"), 10,
                                 "slot {text}: no such slot; /sys/bus/pci/slots has them" },
        [FAULT_NO_SUCH_JOB] = { ERROR("NoSuchJob"), 10,
                                "job {number}: no such job; 'sriovctl jobs --all' shows those that "
                                "are remembered" },
        [FAULT_NOT_SRIOV] = { ERROR("NotSriov"), 10,
                              "{fn}: has no SR-IOV capability; 'sriovctl list' shows the devices "
                              "that have" },
        [FAULT_NOT_PF] = { ERROR("NotSriov"), 10, "{fn}: is a VF; ask its PF, {other}" },
        [FAULT_TOO_MANY_VFS] = { ERROR("Range"), 2,
                                 "{fn}: {number} VFs asked for, 0 to {limit} can be had" },
        [FAULT_BAD_NUMBER] = { ERROR("Range"), 2,
                               "{text}: not a number of VFs; give 0 to 65535, or max" },
        [FAULT_BAD_NAME] = { ERROR("BadOption"), 2,
                             "'{text}': cannot be the name of a driver or slot; letters, digits "
                             "and "
                             "._-+:@ can" },
        [FAULT_BAD_OPTION] = { ERROR("BadOption"), 2,
                               "{text}: no such option here, or of another type; org.sriovd1(5) "
                               "lists them" },
        [FAULT_NO_SUCH_DRIVER] = { ERROR("BadOption"), 2,
                                   "{fn}: driver {text} is neither in the kernel nor a module; "
                                   "nothing was changed" },
        [FAULT_NO_SUCH_VF] = { ERROR("NoSuchDevice"), 10,
                               "{fn}: has no VF {number}; it has {limit}, 'sriovctl show {fn}' "
                               "shows them" },
        [FAULT_NO_SUCH_ATTR] = { ERROR("BadOption"), 2,
                                 "{fn}: '{text}': no attribute of a VF; sriovctl(1) lists them" },
        [FAULT_BAD_ATTR] = { ERROR("BadOption"), 2,
                             "{fn}: {key}: takes {expects}, not '{text}'; nothing was changed" },
        [FAULT_LONELY_ATTR] = { ERROR("BadOption"), 2,
                                "{fn}: {key}: means nothing without {needs}; give both" },
        [FAULT_CROSSED_ATTR] = { ERROR("BadOption"), 2,
                                 "{fn}: {key}: is more than {needs}; nothing was changed" },
        [FAULT_BAD_ESWITCH] = { ERROR("BadOption"), 2,
                                "{fn}: '{text}': no eswitch mode; there are legacy and switchdev" },
        [FAULT_NO_POLICY] = { ERROR("NoPolicy"), 6,
                              "{fn}: no policy matches it; 'sriovctl adopt {fn}' writes one, "
                              "sriovd.conf(5)" },
        [FAULT_HANDS_OFF] = { ERROR("PolicyConflict"), 6,
                              "{fn}: policy {text} says manage = false, hands off: none is applied "
                              "or "
                              "written; let it match less, or take that out first" },
        [FAULT_HIGHEST_PRIORITY] = { ERROR("PolicyConflict"), 6,
                                     "{fn}: policy {text} has the highest priority there is, "
                                     "{number}, and one that is written has to go before it: none "
                                     "was; give it a lower one first" },
        [FAULT_POLICY_CONFLICT] = { ERROR("PolicyConflict"), 6,
                                    "{fn}: policies {text} have the same priority; nothing was "
                                    "changed, raise one or let it match less" },
        [FAULT_ATTR_UNSUPPORTED] = { ERROR("Unsupported"), 1,
                                     "{fn}: its driver cannot set {text}; leave that out" },
        [FAULT_NO_ESWITCH] = { ERROR("Unsupported"), 1,
                               "{fn}: its driver has no eswitch mode '{text}' to be set, or not "
                               "now; 'devlink dev eswitch show pci/{fn}' tells what it has" },
        [FAULT_ESWITCH_NEEDS_VFS] = { ERROR("Unsupported"), 1,
                                      "{fn}: its driver sets eswitch mode '{text}' only while "
                                      "there are VFs, and none are there or wanted; 'sriovctl set "
                                      "{fn} N' makes some" },
        [FAULT_VF_BOUND] = { ERROR("Busy"), 11,
                             "{fn}: cannot set {text}, and had no driver when this was planned; "
                             "ask again" },
        [FAULT_VF_HAS_NO_REMOVE] = { ERROR("Unsupported"), 1,
                                     "{fn}: a VF cannot be removed alone; 'sriovctl unbind' frees "
                                     "it, 'sriovctl set {other} N' changes how many there are" },
        [FAULT_LOWEST_FUNCTION] = { ERROR("Unsupported"), 1,
                                    "{fn}: is the lowest function of a device whose PF {other} "
                                    "would stay and lose its ARI setting; add --all-functions" },
        [FAULT_ORPHANS] = { ERROR("Unsupported"), 1,
                            "{fn}: VF {other} was left behind by a PF that was removed; 'sriovctl "
                            "remove {text}' and 'sriovctl rescan' clear it" },
        [FAULT_HAS_VFS] = { ERROR("Unsupported"), 1,
                            "{fn}: a reset would take its {number} VFs along unseen; 'sriovctl set "
                            "{fn} 0' first" },
        [FAULT_NO_RESET] = { ERROR("Unsupported"), 1, "{fn}: the kernel knows no way to reset it" },
        [FAULT_DRIVER_HAS_VFS] = { ERROR("Busy"), 11,
                                   "driver {text}: {fn} has {number} VFs, which an unbind would "
                                   "take unseen; 'sriovctl unbind {fn}' does it in order" },
        [FAULT_ASLEEP] = { ERROR("Busy"), 11,
                           "{fn}: the host is about to sleep, nothing is begun; ask again when it "
                           "is awake" },
        [FAULT_LINK_DOWN] = { ERROR("Unsupported"), 1,
                              "{fn}: {text} is down, and its driver waits for ever in a reset "
                              "then; "
                              "'ip link set {text} up' or 'sriovctl unbind {fn}' first" },
        [FAULT_NO_DRIVER] = { ERROR("Unsupported"), 1,
                              "{fn}: has no driver, and VFs are made by the PF's driver; 'sriovctl "
                              "bind {fn} default' first" },
        [FAULT_NOT_BOUND] = { ERROR("NoSuchDevice"), 10, "driver {text}: is not loaded" },
        [FAULT_IN_USE] = { ERROR("InUse"), 5,
                           "{fn}: in use, {text}; nothing was taken away; 'sriovctl users {fn}' "
                           "shows all, --force=in-use goes on" },
        [FAULT_STORAGE_IN_USE] = { ERROR("InUse"), 5,
                                   "{fn}: storage in use, {text}; nothing was taken away; "
                                   "'sriovctl "
                                   "users {fn}' shows all, it takes --force=storage to go on" },
        [FAULT_MODULE_IN_USE] = { ERROR("InUse"), 5,
                                  "module {text}: in use; its functions were unbound, it stays "
                                  "loaded; 'sriovctl bind' gives them their driver back" },
        [FAULT_BAD_HOLD] = { ERROR("BadOption"), 2,
                             "'{text}': no mode of a hold; there are block and note" },
        [FAULT_BAD_GATE] = { ERROR("BadOption"), 2,
                             "'{text}': no mode of the gate; there are off, observe, serialize, "
                             "protect and exclusive" },
        [FAULT_NO_GATE] = { ERROR("Unsupported"), 1,
                            "the gate cannot be {text}; it stays as it was, 'sriovctl gate' shows "
                            "how" },
        [FAULT_FOREIGN_BRIDGE] = { ERROR("Unsupported"), 1,
                                   "{fn}: is a bridge; its driver is the kernel's own business" },
        [FAULT_GOING] = { ERROR("Going"), 11,
                          "{fn}: is being removed by job {number}; wait for it or cancel it" },
        [FAULT_QUEUE_FULL] = { ERROR("QueueFull"), 11,
                               "{fn}: {number} jobs wait already; try again when some have ended" },
        [FAULT_STALE] = { ERROR("Stale"), 11,
                          "{fn}: another device sits there since this began; look again with "
                          "'sriovctl show {fn}'" },
        [FAULT_PLAN_STALE] = { ERROR("Stale"), 11,
                               "{text}: the world changed since this plan was made; make a new "
                               "one" },
        [FAULT_WEDGED] = { ERROR("Wedged"), 9,
                           "{fn}: job {number} is stuck in the kernel and nothing else may be "
                           "written; 'sriovctl job {number}' tells where" },
        [FAULT_QUARANTINED] = { ERROR("Quarantined"), 9,
                                "{fn}: job {number} is stuck in the kernel on this device, and "
                                "nothing on it, above it or of its driver may be changed; "
                                "'sriovctl job {number}' tells where" },
        [FAULT_FOREIGN_STUCK] = { ERROR("Wedged"), 9,
                                  "{fn}: process {number} ({text}) is stuck in the kernel, and "
                                  "whoever writes now waits behind it; nothing was written; "
                                  "'sriovctl doctor' tells more" },
        [FAULT_BUSY] = { ERROR("Busy"), 11,
                         "{fn}: job {number} is at work on it; wait for it with 'sriovctl wait "
                         "{number}'" },
        [FAULT_NO_ANSWER] = { ERROR("Timeout"), 3,
                              "{text}: no answer within {number} s: what was asked for it waits in "
                              "the kernel; 'sriovctl jobs' tells whether a job is stuck" },
        [FAULT_TOO_MANY_ASK] = { ERROR("QueueFull"), 11,
                                 "{number} questions wait for an answer already; try again in a "
                                 "moment" },
        [FAULT_NOT_AUTHORIZED] = { ERROR("NotAuthorized"), 6,
                                   "{text}: not authorised; ask as root" },
        [FAULT_KERNEL] = { ERROR("Kernel"), 1,
                           "{fn}: {text} failed with {errno} ({why}); 'sriovctl show {fn}' tells "
                           "how it stands now" },
        [FAULT_ENOMEM_VFS] = { ERROR("Kernel"), 1,
                               "{fn}: {number} VFs refused with ENOMEM: no bus numbers or no MMIO "
                               "space for them; try fewer, or look at the firmware's setting" },
        [FAULT_KEPT_VFS] = { ERROR("Kernel"), 1,
                             "{fn}: the driver took 0 and kept {number} VFs; where pci-pf-stub "
                             "cannot take them down either, remove the bridge above and rescan" },
        [FAULT_WRONG_COUNT] = { ERROR("Kernel"), 1,
                                "{fn}: {limit} VFs asked for, the driver made {number} without an "
                                "error; look at its log, its interface may have to be up" },
        [FAULT_UNPROVEN] = { ERROR("Kernel"), 1,
                             "{fn}: {text} was accepted by the kernel, but its effect did not "
                             "show; 'sriovctl show {fn}' tells how it stands now" },
        [FAULT_STILL_THERE] = { ERROR("Kernel"), 1, "{fn}: was removed and is still there" },
        [FAULT_NOT_FOUND_AFTER] = { ERROR("NoSuchDevice"), 10,
                                    "{fn}: not found by the rescan; is it plugged in and "
                                    "powered?" },
        [FAULT_NOT_TAKEN] = { ERROR("Kernel"), 1,
                              "{fn}: no driver took it; name one with 'sriovctl bind'" },
        [FAULT_VANISHED] = { ERROR("NoSuchDevice"), 10, "{fn}: went away during {text}" },
        [FAULT_WORKER_DIED] = { ERROR("Kernel"), 1,
                                "{fn}: the process doing {text} died in it, an Oops in the kernel "
                                "log may tell why; reboot before changing devices again" },
        [FAULT_CANCELED] = { ERROR("Canceled"), 7, "job {number}: canceled" },
        [FAULT_SUPERSEDED] = { ERROR("Superseded"), 7, "job {number} took its place" },
        [FAULT_TIMEOUT] = { ERROR("Timeout"), 3,
                            "job {number}: its time was over before it was done" },
        [FAULT_FORCED] = { ERROR("InUse"), 5, "{fn}: in use, {text}; going on as forced" },
        [FAULT_ROLLED_BACK] = { ERROR("Failed"), 1,
                                "{fn}: rolled back to {number} VFs; one that was made anew for it "
                                "lacks the MAC, VLAN and the like that it had been given" },
        [FAULT_MORE_WARNINGS] = { ERROR("Failed"), 1,
                                  "and {number} more warnings, for which there was no room; "
                                  "'sriovctl job' and the journal have each step" },
        [FAULT_OPENER_GONE] = { ERROR("Canceled"), 7,
                                "the program that asked for it is gone, and was not let in" },
        [FAULT_LEFT_THERE] = { ERROR("Failed"), 1,
                               "{fn}: the program was let in to take it away, and left it there" },
        [FAULT_VFS_LOST] = { ERROR("Failed"), 1,
                             "{fn}: its {number} VFs were taken down for that program; 'sriovctl "
                             "set {fn} {number}' makes them again" },
        [FAULT_PORT_QUIET] = { ERROR("Failed"), 1,
                               "{fn}: hot-plug is off there, for that program; write {text} to "
                               "/sys/bus/pci_express/drivers/pciehp/bind" },
        [FAULT_INTERRUPTED] = { ERROR("Interrupted"), 1,
                                "job {number}: sriovd ended meanwhile, and whether it took effect "
                                "cannot be seen; look, and ask again" },
        [FAULT_NOT_KEPT] = { ERROR("Failed"), 1,
                             "{fn}: cannot write a policy below {text}: {errno} ({why}); see to "
                             "that "
                             "folder and its disk, and ask again" },
        [FAULT_KEPT_UNREAD] = { ERROR("BadOption"), 2,
                                "{fn}: its policy is written, and counts once policies can be read "
                                "again: {text}" },
        [FAULT_INTERNAL] = { ERROR("Failed"), 1, "sriovd: {errno} ({why})" },
};

Fault fault_text(Fault f, const char *text) {
        snprintf(f.text, sizeof(f.text), "%s", text);
        return f;
}

const char *fault_bus_name(FaultReason reason) {
        return reason > FAULT_NONE && reason < _FAULT_MAX ? fault_table[reason].name : NULL;
}

int fault_exit_status(FaultReason reason) {
        return reason > FAULT_NONE && reason < _FAULT_MAX ? fault_table[reason].exit_status : 0;
}

int fault_exit_status_of(const char *bus_name) {
        for (FaultReason r = FAULT_NONE + 1; r < _FAULT_MAX; r++)
                if (streq(fault_table[r].name, bus_name))
                        return fault_table[r].exit_status;
        return 1;
}

/* {key}, {needs} and {expects}; NULL: another placeholder. */
static const char *fault_key(const Fault *f, const char *key, size_t n) {
        if (strncmp(key, "key", n) == 0 && f->number < _VFKEY_MAX)
                return vfkey_to_string(f->number);
        if (strncmp(key, "needs", n) == 0 && f->limit < _VFKEY_MAX)
                return vfkey_to_string(f->limit);
        if (strncmp(key, "expects", n) == 0 && f->number < _VFKEY_MAX)
                return vfkey_expects(f->number);
        return NULL;
}

/* As sriovctl takes it, too. */
static const char *fault_fn(const Fault *f, char *buf, size_t size) {
        if (bdf_is_none(f->fn))
                return "sriovd";
        if (f->new_vf == 0)
                return bdf_format(f->fn, buf);
        snprintf(buf, size, "%s/vf%u", BDF_STR(f->fn), f->new_vf - 1);
        return buf;
}

/* The value behind one placeholder, in buf or as it stands. */
static const char *fault_value(const Fault *f, const char *key, size_t n, char *buf, size_t size) {
        if (strncmp(key, "fn", n) == 0)
                return fault_fn(f, buf, size);
        if (strncmp(key, "other", n) == 0)
                return bdf_format(f->other, buf);
        if (strncmp(key, "text", n) == 0)
                return f->text;
        if (strncmp(key, "errno", n) == 0)
                return errno_name(f->error);
        if (strncmp(key, "why", n) == 0)
                return strerror(f->error);
        if (fault_key(f, key, n))
                return fault_key(f, key, n);
        snprintf(buf, size, "%u", strncmp(key, "limit", n) == 0 ? f->limit : f->number);
        return buf;
}

const char *fault_format(const Fault *f, char *buf, size_t size) {
        const char *p = f->reason > FAULT_NONE && f->reason < _FAULT_MAX
                                ? fault_table[f->reason].sentence
                                : "";
        size_t at = 0;

        while (*p && at + 1 < size) {
                char value[BDF_MAX + sizeof("/vf4294967295")];
                size_t n = strcspn(p, "}");
                const char *s;

                if (*p != '{' || p[n] != '}') {
                        buf[at++] = *p++;
                        continue;
                }
                s = fault_value(f, p + 1, n - 1, value, sizeof(value));
                for (; *s && at + 1 < size; s++)
                        buf[at++] = *s == '\n' ? ' ' : *s;
                p += n + 1;
        }
        if (size > 0)
                buf[at] = '\0';
        return buf;
}

const char *errno_name(int error) {
        const char *name = strerrorname_np(error);

        return name ? name : "an unknown errno";
}
