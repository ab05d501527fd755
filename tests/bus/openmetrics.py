# SPDX-License-Identifier: GPL-2.0-or-later
"""OpenMetrics: a strict reader of the text, written from the specification"""
import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
SAMPLE = re.compile(rf"({NAME})(?:\{{(.*)\}})? ([0-9]+(?:\.[0-9]+)?)\Z")
LABEL = re.compile(rf'({NAME})="((?:[^"\\\n]|\\["\\n])*)"(?:,(?!\Z)|\Z)')
SUFFIXES = {"counter": {"_total"}, "gauge": {""}, "summary": {"_count", "_sum"}}
ESCAPES = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}


class Wrong(Exception):
    pass


def labels_of(text):
    labels, at = {}, 0
    while at < len(text):
        m = LABEL.match(text, at)
        if not m or m[1] in labels:
            raise Wrong(f"labels: {text!r}")
        labels[m[1]] = re.sub(r"\\.", lambda e: ESCAPES[e[0]], m[2])
        at = m.end()
    return labels


def sample_of(line, family, kind):
    m = SAMPLE.match(line)
    if not m or not family or not m[1].startswith(family) or m[1][len(family):] not in SUFFIXES[kind]:
        raise Wrong(f"sample of {family}: {line!r}")
    return (m[1], tuple(sorted(labels_of(m[2] or "").items()))), float(m[3])


def read(text):
    """{(name, ((label, value), ...)): number}, or Wrong."""
    lines = text.split("\n")
    if lines[-2:] != ["# EOF", ""]:
        raise Wrong(f"its end: {lines[-2:]}")
    samples, families, family, kind, helped = {}, set(), None, None, None
    for line in lines[:-2]:
        words = line.split(" ", 3)
        if words[:2] == ["#", "HELP"] and len(words) == 4:
            helped = words[2]
        elif words[:2] == ["#", "TYPE"] and len(words) == 4:
            family, kind = words[2:]
            if helped != family or family in families or kind not in SUFFIXES:
                raise Wrong(line)
            families.add(family)
        else:
            key, value = sample_of(line, family, kind)
            if key in samples:
                raise Wrong(f"twice: {line}")
            samples[key] = value
    return samples


def get(samples, name, **labels):
    return samples.get((name, tuple(sorted(labels.items()))))
