/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Field
 *
 * One table maps the bus's names to ours, so that a rename there is never a rename in people's
 * scripts.
 */
#include <stdio.h>

#include "base/macro.h"
#include "base/str.h"

#include "cli/field.h"

static const Field fields[] = {
        { "Address", "address", AS_IT_IS, FIELD_PF | FIELD_VF },
        { "Driver", "driver", AS_IT_IS, FIELD_PF | FIELD_VF },
        { "NetDevs", "netdevs", AS_IT_IS, FIELD_PF | FIELD_VF },
        { "IOMMUGroup", "iommu_group", AS_IT_IS, FIELD_PF | FIELD_VF },
        { "Index", "index", AS_IT_IS, FIELD_VF },
        { "PF", "pf", AS_IT_IS, FIELD_VF },
        { "State", "state", AS_IT_IS, FIELD_PF },
        { "Vendor", "vendor", AS_IT_IS, FIELD_PF },
        { "Device", "device", AS_IT_IS, FIELD_PF },
        { "Class", "class", CLASS, FIELD_PF },
        { "TotalVFs", "total_vfs", AS_IT_IS, FIELD_PF },
        { "VFs", "vfs", AS_IT_IS, FIELD_PF },
        { "Autoprobe", "autoprobe", AS_IT_IS, FIELD_PF },
        { "EswitchMode", "eswitch_mode", AS_IT_IS, FIELD_PF },
        { "Policy", "policy", AS_IT_IS, FIELD_PF },
        { "PolicyState", "policy_state", AS_IT_IS, FIELD_PF },
        { "Ready", "ready", AS_IT_IS, FIELD_PF | FIELD_VF },
        { "MAC", "mac", AS_IT_IS, FIELD_VF },
        { "VLAN", "vlan", AS_IT_IS, FIELD_VF },
        { "Attributes", "attributes", AS_IT_IS, FIELD_VF },
        { "NUMANode", "numa_node", AS_IT_IS, FIELD_PF },
        { "Id", "job", AS_IT_IS, 0 },
        { "Operation", "operation", AS_IT_IS, 0 },
        { "Object", "object", AS_IT_IS, 0 },
        { "Result", "result", AS_IT_IS, 0 },
        { "Stage", "stage", AS_IT_IS, 0 },
        { "Stages", "stages", AS_IT_IS, 0 },
        { "Progress", "progress", FLOAT, 0 },
        { "ProgressValid", "progress_valid", AS_IT_IS, 0 },
        { "UID", "uid", AS_IT_IS, 0 },
        { "PID", "pid", AS_IT_IS, 0 },
        { "Reason", "reason", AS_IT_IS, 0 },
        { "Created", "created", TIME, 0 },
        { "Started", "started", TIME, 0 },
        { "Ended", "ended", TIME, 0 },
        { "Cancelable", "cancelable", AS_IT_IS, 0 },
        { "Warnings", "warnings", AS_IT_IS, 0 },
        { "Holders", "holders", AS_IT_IS, 0 },
        { "Stuck", "stuck", AS_IT_IS, 0 },
        { "Results", "steps", AS_IT_IS, 0 },
        { "Error", "error", AS_IT_IS, 0 },
        { "Message", "message", AS_IT_IS, 0 },
        { "Opener", "opener", AS_IT_IS, 0 },
        { "GateMode", "gate_mode", AS_IT_IS, 0 },
        { "QueueLength", "queue_length", AS_IT_IS, 0 },
        { "Version", "version", AS_IT_IS, 0 },
};

const Field *field_of_property(const char *property) {
        for (size_t i = 0; i < ELEMENTSOF(fields); i++)
                if (streq(fields[i].property, property))
                        return &fields[i];
        return NULL;
}

const Field *field_of_key(const char *key) {
        for (size_t i = 0; i < ELEMENTSOF(fields); i++)
                if (streq(fields[i].key, key))
                        return &fields[i];
        return NULL;
}

json_object *field_convert(const Field *f, json_object *v) {
        char text[32];
        double d;

        switch (f->meaning) {
        case TIME:
                if (json_object_get_uint64(v) > 0)
                        return v;
                json_object_put(v);
                return NULL;
        case CLASS:
                snprintf(text, sizeof(text), "0x%06x", (unsigned) json_object_get_int64(v));
                json_object_put(v);
                return json_object_new_string(text);
        case FLOAT:
                d = json_object_get_double(v);
                snprintf(text, sizeof(text), "%.3f", d);
                json_object_put(v);
                return json_object_new_double_s(d, text);
        case AS_IT_IS:
                return v;
        }
        return v;
}
