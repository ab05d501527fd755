/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * OpenMetrics: the text that monitoring reads
 *
 * https://prometheus.io/docs/specs/om/open_metrics_spec/, of which only counter, gauge and summary are used: node_exporter's
 * collector of text files reads the older format, drops a whole file for a type that it does not know, and takes all
 * that stands here. One family after the other, each with its samples together.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>

#define METRICS_PREFIX "sriovd_"

typedef enum OmType {
        OM_COUNTER, /* its samples' suffix is "_total" */
        OM_GAUGE, /* "" */
        OM_SUMMARY, /* "_count" and "_sum" */
} OmType;

/* The value may be any bytes; what is no text becomes '?'. */
typedef struct OmLabel {
        const char *name, *value;
} OmLabel;

#define OM_LABELS_MAX 4
/* For om_number() and om_seconds(): OM_LABELS({ "pf", "0000:01:00.0" }, { "driver", "igb" }) */
#define OM_LABELS(...) ((const OmLabel[OM_LABELS_MAX + 1]){ __VA_ARGS__ })
#define OM_NO_LABELS ((const OmLabel[OM_LABELS_MAX + 1]){})

/* The name without prefix and suffix. */
void om_family(FILE *f, const char *name, OmType type, const char *help);
void om_number(FILE *f, const char *name, const char *suffix, const OmLabel *labels, uint64_t n);
void om_seconds(FILE *f, const char *name, const char *suffix, const OmLabel *labels,
                uint64_t usec);
void om_end(FILE *f);
