#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The sweep: sriovd is killed at each place of its ledger, in each operation, and nothing is lost

SRIOVD_DIE_AT=N (tests/sim/die.c) kills the daemon before and after each write of the ledger and after each release of
a child. Another one is started, now and then killed as well in what it owes, and then the world must be whole. A sample;
with SRIOVD_LONG every place. Each operation is also gone through to its end: the daemon aborts by itself where it releases a child
for a step that its ledger does not know of.
"""
import concurrent.futures
import json
import os
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from stage import Stage  # noqa: E402

IGB0, NVME, PORT0 = "0000:01:00.0", "0000:03:00.0", "0000:00:01.0"
FN = "bus/pci/devices/"
# partial: nvme's VFs find no driver. Of what cannot be seen afterwards nobody knows whether it was done.
RESULTS = {"done", "partial", "skipped"}
UNSEEN = {"reset", "slot-off", "unload"}
LONG = "SRIOVD_LONG" in os.environ
# Of all places of all operations, one in so many.
SAMPLE = 1 if LONG else 8

NVFS = (FN + IGB0 + "/sriov_numvfs", "3")
# What is asked; what was written before; what igb0 must look like if the job is done: VFs, driver.
OPERATIONS = (
    (("set", IGB0, "3"), [], (3, "igb")),
    (("set", IGB0, "2", "--driver=vfio-pci"), [], (2, "igb")),
    (("set", IGB0, "2"), [NVFS], (2, "igb")),
    (("set", IGB0, "2", "--on-failure=rollback"), [NVFS], (2, "igb")),
    (("set", IGB0, "0"), [NVFS], (0, "igb")),
    (("bind", IGB0 + "/vf0", "vfio-pci"), [NVFS], (3, "igb")),
    (("unbind", IGB0 + "/vf0"), [NVFS], (3, "igb")),
    (("unbind", IGB0), [NVFS], (0, "")),
    (("bind", IGB0, "vfio-pci"), [NVFS], (0, "vfio-pci")),
    (("remove", IGB0, "--rescan"), [NVFS], (0, "igb")),
    (("remove", PORT0), [NVFS], None),
    (("reset", IGB0 + "/vf0"), [NVFS], (3, "igb")),
    (("reset", IGB0), [], (0, "igb")),
    (("slot", "off", "1"), [NVFS], None),
    (("unload", "igb"), [NVFS], (0, "")),
    (("set", IGB0, "2", "--persist"), [], (2, "igb")),
    (("vf", IGB0 + "/vf0", "vlan=5", "trust=on"), [NVFS], (3, "igb")),
    (("vf", IGB0 + "/vf0", "vlan=5", "driver=vfio-pci"), [NVFS], (3, "igb")),
    (("rescan",), [(FN + IGB0 + "/remove", "1")], (0, "igb")),
)


class Wrong(Exception):
    pass


def jobs_of(stage):
    p = stage.ctl("jobs", "-a", "--json=short")
    if p.returncode != 0:
        raise Wrong(f"jobs: {p.stderr}")
    return {job["job"]: job for job in json.loads(p.stdout)["jobs"]}


def submit(stage, words):
    """The job's number, or None where the daemon died before it said it."""
    p = stage.ctl(*words, "--no-block")
    return int(p.stdout) if p.returncode == 0 else None


def is_idle(stage):
    p = stage.ctl("jobs", "--no-legend")
    return p.returncode == 0 and p.stdout.strip() == ""


def is_alive(stage):
    return stage.processes["sriovd"].poll() is None


def wait_for_death(stage):
    """False if it outlived its queue."""
    daemon = stage.processes["sriovd"]
    end = time.monotonic() + 60
    while daemon.poll() is None:
        if time.monotonic() > end:
            raise Wrong("neither dies nor ends")
        if is_idle(stage) and daemon.poll() is None:
            return False
        time.sleep(0.01)
    stage.processes.pop("sriovd")
    if daemon.returncode != -signal.SIGKILL:
        with open(stage.path("sriovd.log"), encoding="utf-8") as log:
            raise Wrong(f"ended with {daemon.returncode}: {log.readlines()[-1:]}")
    return True


def start_dying(stage, at):
    """A daemon that dies at a place, perhaps before it says that it is ready."""
    stage.env["SRIOVD_DIE_AT"] = str(at)
    stage.start("sriovd", [os.environ["SRIOVD"]])
    del stage.env["SRIOVD_DIE_AT"]
    end = time.monotonic() + 30
    while stage.processes["sriovd"].poll() is None and not stage.can_connect("run/private"):
        if time.monotonic() > end:
            raise Wrong("does not start")
        time.sleep(0.005)


def check_world(stage, expect, result):
    reports = stage.sim("reports")
    if reports != "":
        raise Wrong(f"the simulator saw {reports}")
    for line in stage.sim("overrides").splitlines():
        if line.split()[1] in ("sriovd-hold", "pci-pf-stub"):
            raise Wrong(f"left parked: {line}")
    autoprobe = stage.sim("read", FN + IGB0 + "/sriov_drivers_autoprobe")
    here = autoprobe is not None
    if here and autoprobe.strip() != "1":
        raise Wrong("autoprobe is not as before")
    if result != "done":
        return
    if here != (expect is not None):
        raise Wrong(f"done, and igb0 is {'here' if here else 'gone'}")
    if expect:
        names = stage.sim("list", FN + IGB0).split()
        vfs = sum(n.startswith("virtfn") for n in names)
        if vfs != expect[0] or ("driver" in names) != (expect[1] != ""):
            raise Wrong(f"done, and igb0 has {vfs} VFs, {'a' if 'driver' in names else 'no'} driver")


def check_jobs(stage, numbers):
    """Each has its own number, and has ended with a named result. That of the first."""
    jobs = jobs_of(stage)
    known = [n for n in numbers if n is not None]
    if len(set(known)) != len(known):
        raise Wrong(f"a number is given twice: {numbers}")
    for n in known:
        if n not in jobs:
            raise Wrong(f"job {n} is lost")
    for n, job in jobs.items():
        may = RESULTS | ({"interrupted"} if job["operation"] in UNSEEN else set())
        if job["state"] != "ended" or job["result"] not in may:
            raise Wrong(f"job {n}: {job['state']}, {job['result']}")
    return jobs[numbers[0]]["result"] if numbers[0] is not None else None


def check_policy(stage, words, result):
    """What is done is also kept, if that was asked for."""
    if "--persist" in words and result in ("done", "skipped") and not os.path.exists(stage.path("policy.d/50-0000-01-00-0.conf")):
        raise Wrong(f"{result}, and no policy says so")


def play(operation, at):
    """Whether the daemon died there, and what became of the job."""
    words, before, expect = operation
    stage = Stage(bus=False)
    stage.env["SRIOVD_POLICY"] = stage.path("policy.d")
    try:
        for path, value in before:
            if stage.sim("write", path, value) is None:
                raise Wrong(f"setting up: {path}")
        start_dying(stage, at)
        first = submit(stage, words)
        second = submit(stage, ("set", NVME, "1"))
        died = wait_for_death(stage)
        if died and at % 3 == 0:
            start_dying(stage, at // 3 % 5 + 1)
            wait_for_death(stage)
        # Also one that outlived its queue: the place may come in the next job.
        if "sriovd" in stage.processes:
            stage.stop("sriovd")
        stage.start_daemon()
        stage.until(lambda: is_idle(stage) or not is_alive(stage), "the end of the queue", 60)
        third = submit(stage, ("set", NVME, "0"))
        stage.until(lambda: is_idle(stage) or not is_alive(stage), "the end of the last job", 60)
        if not is_alive(stage):
            wait_for_death(stage)
            raise Wrong("dies where it should not")
        result = check_jobs(stage, (first, second, third))
        check_world(stage, expect, result)
        check_policy(stage, words, result)
        return died, result
    except TimeoutError as e:
        raise Wrong(str(e)) from e
    finally:
        stage.stop_all()


def sweep(operation, offset, tally, lock):
    """Every SAMPLEth place, from the offset on, until it outlives the operation."""
    at = offset + 1
    while True:
        try:
            died, result = play(operation, at)
        except Wrong as e:
            died, result = True, None
            with lock:
                tally["failed"].append(f"{' '.join(operation[0])}, killed at {at}: {e}")
                if len(tally["failed"]) > 20:
                    return
        with lock:
            tally["points"] += died
            tally["results"][result] = tally["results"].get(result, 0) + died
        if not died:
            return
        at += SAMPLE


def main():
    tally, lock = {"points": 0, "results": {}, "failed": []}, threading.Lock()
    operations = [o for o in OPERATIONS if not sys.argv[1:] or " ".join(o[0]) in sys.argv[1:]]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for f in [pool.submit(sweep, o, i % SAMPLE, tally, lock) for i, o in enumerate(operations)]:
            f.result()
    for line in tally["failed"]:
        print("not ok", line)
    print("results:", ", ".join(f"{k} {v}" for k, v in sorted(tally["results"].items(), key=str)))
    failed = len(tally["failed"])
    print(f"sweep: {tally['points'] - failed} passed, {failed} failed, 0 skipped")
    return failed > 0 or tally["points"] == 0


if __name__ == "__main__":
    sys.exit(main())
