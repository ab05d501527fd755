#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""sriovctl apply, its plans, and apply --boot

Each test is named after the promise it keeps.
"""
import os
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from base import BAD, PF, PF2, VF0, Child, WithStub, run  # noqa: E402
from stub import holder, Refusal  # noqa: E402


class Apply(WithStub):
    def jobs_are(self, *jobs):
        """Each the properties of a job, by the PF that it is for."""
        paths = [self.stub.add_job(7 + i, Operation="apply", **values) for i, values in enumerate(jobs)]
        self.stub.answers["Apply"] = lambda *_: ("ao", [paths], [])
        return paths

    def test_it_asks_for_those_that_are_named_and_else_for_all(self):
        self.jobs_are({})
        self.ctl("apply")
        self.ctl("apply", PF, "02:00.0", "ens1", "--force=in-use", "--on-failure=rollback", "--timeout=2", "--reason=why")
        self.assertEqual(self.stub.called("Apply"), [
            [[], {}], [[PF, "02:00.0", "ens1"], {"force": ("as", ["in-use"]), "on-failure": ("s", "rollback"),
                                                 "timeout": ("t", 2000000), "reason": ("s", "why")}]])

    def test_each_job_has_a_line_with_its_result(self):
        self.jobs_are({}, {"Object": PF2, "Result": "skipped"})
        p = self.ctl("apply")
        self.assertEqual((p.stdout, p.stderr), (f"{PF}: done\n{PF2}: nothing to do\n", ""))

    def test_nothing_to_do_is_said_once_if_all_were_skipped(self):
        self.jobs_are({"Result": "skipped"}, {"Object": PF2, "Result": "skipped"})
        self.assertEqual(self.ctl("apply").stdout, "nothing to do\n")
        self.jobs_are({"Result": "skipped", "Warnings": ["it rains"]})
        p = self.ctl("apply")
        self.assertEqual((p.stdout, p.stderr), ("nothing to do\n", "sriovctl: warning: it rains\n"))

    def test_no_policy_at_all_is_nothing_to_do(self):
        self.jobs_are()
        p = self.ctl("apply")
        self.assertEqual((p.stdout, p.stderr.count("\n")), ("nothing to do\n", 1))
        self.assertIn("adopt", p.stderr)
        self.assertEqual(self.ctl("apply", "--no-legend").stderr, "")

    def test_one_that_fails_is_4_where_another_was_done(self):
        bad = {"Object": PF2, "Result": "failed", "Error": BAD + "Kernel", "Message": f"{PF2}: vfs-on failed"}
        self.jobs_are({}, bad)
        p = self.ctl("apply", status=4)
        self.assertEqual((p.stdout, p.stderr), (f"{PF}: done\n", f"sriovctl: {PF2}: vfs-on failed\n"))
        self.jobs_are({"Result": "skipped"}, bad)
        self.ctl("apply", status=4)

    def test_those_that_all_fail_have_their_own_status(self):
        def bad(name):
            return {"Result": "failed", "Error": BAD + name, "Message": name}
        for names, status in ((("InUse",), 5), (("InUse", "InUse"), 5), (("InUse", "Kernel"), 1), (("Kernel", "InUse"), 1),
                              (("Going", "Going", "Wedged"), 1)):
            self.jobs_are(*(bad(n) for n in names))
            self.assertEqual(self.ctl("apply", status=status).stderr.count("\n"), len(names))
        partial = {"Result": "partial", "Error": BAD + "Kernel", "Message": "VF 1"}
        for jobs in ((partial,), (bad("InUse"), partial), (partial, partial)):
            self.jobs_are(*jobs)
            self.ctl("apply", status=4)

    def test_holders_and_warnings_are_told_of_each(self):
        qemu = holder(VF0, "vfio", 4711, "qemu", "/dev/vfio/1")
        self.jobs_are({"Warnings": ["it rains"]},
                      {"Object": PF2, "Result": "refused", "Error": BAD + "InUse", "Message": "in use", "Holders": [qemu]})
        self.assertEqual(self.ctl("apply", status=4).stderr,
                         f"sriovctl: warning: it rains\nsriovctl: in use\n  {VF0}: vfio: qemu (pid 4711), /dev/vfio/1\n")

    def test_a_job_that_two_asked_for_is_told_once(self):
        paths = self.jobs_are({})
        self.stub.answers["Apply"] = lambda *_: ("ao", [paths * 2], [])
        self.assertEqual(self.ctl("apply", PF, PF).stdout, f"{PF}: done\n")

    def test_it_waits_for_all_and_tells_in_their_order(self):
        for order in ((0, 1), (1, 0)):
            paths = self.jobs_are({"State": "running", "Result": ""}, {"Object": PF2, "State": "running", "Result": ""})
            before = len(self.stub.called("GetAll"))
            p = Child(self, "apply")
            self.until(lambda: len(self.stub.called("GetAll")) >= before + 2, "the first look")
            self.stub.tell(self.stub.change_job(paths[order[0]], State="ended", Result="done"))
            time.sleep(0.3)
            self.assertIsNone(p.poll())
            self.stub.tell(self.stub.change_job(paths[order[1]], State="ended", Result="done"))
            self.assertEqual(p.end(), (0, f"{PF}: done\n{PF2}: done\n", ""))

    def test_after_a_time_out_what_is_not_over_is_told(self):
        self.jobs_are({}, {"Object": PF2, "State": "running", "Result": ""})
        p = self.ctl("apply", "-w", "0.2", status=3)
        self.assertEqual(p.stdout, f"{PF}: done\n")
        self.assertEqual(p.stderr, f"sriovctl: {PF2}: job 8 has not ended in time and goes on; 'sriovctl wait 8' waits for it, "
                         "'sriovctl cancel 8' withdraws it\n")
        o = self.json("apply", "-w", "0.2", status=3)
        self.assertEqual([j["exit"] for j in o["jobs"]], [0, 3])
        self.assertIn("goes on", o["jobs"][1]["message"])

    def test_a_job_that_gets_stuck_is_9_and_the_others_go_on(self):
        self.jobs_are({"State": "wedged", "Result": ""}, {"Object": PF2, "State": "waiting", "Result": ""})
        lines = self.ctl("apply", status=9).stderr.splitlines()
        self.assertIn(f"{PF}: job 7 is stuck in the kernel", lines[0])
        self.assertIn(f"{PF2}: job 8 goes on;", lines[1])

    def test_no_block_prints_the_numbers(self):
        self.jobs_are({"State": "waiting"}, {"Object": PF2, "State": "waiting"})
        self.assertEqual(self.ctl("apply", "--no-block").stdout, "7\n8\n")
        self.assertEqual(self.json("apply", "--no-block"), {"jobs": [{"job": 7}, {"job": 8}]})

    def test_json_has_its_keys(self):
        self.jobs_are({}, {"Object": PF2, "Result": "failed", "Error": BAD + "Kernel", "Message": "no"})
        o = self.json("apply", status=4)
        self.assertEqual(o, {"jobs": [
            {"job": 7, "operation": "apply", "object": PF, "state": "ended", "result": "done", "error": None, "message": None,
             "warnings": [], "holders": [], "exit": 0},
            {"job": 8, "operation": "apply", "object": PF2, "state": "ended", "result": "failed", "error": BAD + "Kernel",
             "message": "no", "warnings": [], "holders": [], "exit": 1}], "exit": 4})

    def test_each_refusal_has_its_status(self):
        for name, status in (("NoPolicy", 6), ("PolicyConflict", 6), ("NoSuchDevice", 10), ("Stale", 11), ("Going", 11),
                             ("Wedged", 9), ("NotAuthorized", 6), ("BadOption", 2), ("QueueFull", 11)):
            self.stub.refuse("Apply", name, f"{PF}: no")
            p = self.ctl("apply", PF, status=status)
            self.assertEqual((p.stdout, p.stderr), ("", f"sriovctl: {PF}: no\n"))
            self.assertEqual(self.json("apply", PF, status=status), {"error": BAD + name, "message": f"{PF}: no", "exit": status})

    def test_expect_is_of_one_pf(self):
        self.jobs_are({})
        self.ctl("apply", PF, "--expect=8fa3")
        self.assertEqual(self.stub.called("Apply"), [[[PF], {"expect": ("s", "8fa3")}]])
        for pfs in ((), (PF, PF2)):
            self.assertIn("name the PF", self.ctl("apply", *pfs, "--expect=8fa3", status=2).stderr)

    def test_wrong_usage_asks_for_nothing(self):
        for words in (("", ), (PF, ""), ("x" * 300,), ("--driver=x",), ("--persist",), ("--ready",), ("--on-failure=never",)):
            self.assertEqual(self.ctl("apply", *words, status=2).stderr.count("\n"), 1)
        self.assertEqual(self.stub.calls, [])


class PlanApply(WithStub):
    def plans_are(self, **plans):
        """By the function's name: the steps, or a refusal."""
        def plan(op, options):
            steps = plans["_" + options["function"][1].replace(":", "_").replace(".", "_")]
            if isinstance(steps, str):
                raise Refusal(BAD + steps, f"{options['function'][1]}: no")
            return "saa{sv}", ["id" + options["function"][1], [
                {"rung": ("s", s), "function": ("s", PF), "text": ("s", s + " it")} for s in steps]], []
        self.stub.answers["Plan"] = plan

    def test_it_is_the_plan_of_each_pf_that_a_policy_wants(self):
        self.stub.add_pf(PF2, Policy="nics")
        self.stub.add_pf("0000:03:00.0", Policy="disks")
        self.plans_are(_0000_02_00_0=["vfs-on"], _0000_03_00_0=[])
        for words in (("plan", "apply"), ("apply", "-n")):
            out = self.ctl(*words).stdout
            self.assertIn(f"{PF2}: plan id{PF2}\n", out)
            self.assertRegex(out, "1 vfs-on +vfs-on it\n")
            self.assertIn("0000:03:00.0: nothing to do\n", out)
        self.assertEqual(self.stub.called("Plan")[0], ["apply", {"function": ("s", PF2)}])
        self.assertEqual(self.stub.called("Apply"), [])

    def test_those_of_which_it_cannot_be_told_are_refused_beside_the_others(self):
        self.stub.add_pf(PF2, Policy="nics", PolicyState="wanted")
        self.stub.add_pf("0000:03:00.0", PolicyState="conflict")
        self.stub.add_pf("0000:04:00.0", PolicyState="unknown")
        self.stub.add_pf("0000:05:00.0", PolicyState="hands-off")
        self.plans_are(_0000_02_00_0=["vfs-on"], _0000_03_00_0="PolicyConflict", _0000_04_00_0=[])
        for words in (("plan", "apply"), ("apply", "-n")):
            p = self.ctl(*words, status=4)
            self.assertEqual(p.stderr, "sriovctl: 0000:03:00.0: no\n")
            self.assertIn("vfs-on it", p.stdout)
        self.assertEqual([(p["pf"], p.get("exit")) for p in self.json("plan", "apply", status=4)["plans"]],
                         [(PF2, None), ("0000:03:00.0", 6), ("0000:04:00.0", None)])

    def test_a_plan_with_another_id_than_the_one_that_is_expected_is_not_shown(self):
        self.plans_are(_0000_01_00_0=["vfs-on"])
        for words in (("apply", "-n"), ("plan", "apply")):
            self.assertIn("vfs-on it", self.ctl(*words, PF, "--expect=id" + PF).stdout)
            p = self.ctl(*words, PF, "--expect=abc", status=11)
            self.assertEqual((p.stdout, p.stderr),
                             ("", "sriovctl: abc: the world changed since this plan was made; make a new one\n"))
            o = self.json(*words, PF, "--expect=abc", status=11)
            self.assertEqual(o["plans"], [{"pf": PF, "error": BAD + "Stale", "message": p.stderr[10:-1], "exit": 11}])
        self.ctl("apply", "-n", "--expect=abc", status=2)

    def test_a_refusal_of_one_is_no_end_of_the_others(self):
        self.plans_are(_0000_02_00_0="PolicyConflict", _0000_01_00_0=["vfs-on"])
        p = self.ctl("plan", "apply", PF2, PF, status=4)
        self.assertEqual(p.stderr, f"sriovctl: {PF2}: no\n")
        self.assertIn("vfs-on it", p.stdout)
        o = self.json("plan", "apply", PF2, PF, "-o", "RUNG", status=4)
        self.assertEqual(o, {"plans": [{"pf": PF2, "error": BAD + "PolicyConflict", "message": f"{PF2}: no", "exit": 6},
                                       {"pf": PF, "plan": "id" + PF, "operation": "apply", "steps": [{"rung": "vfs-on"}]}],
                             "exit": 4})
        self.ctl("plan", "apply", PF2, status=6)

    def test_nothing_wanted_is_nothing_to_do(self):
        self.assertEqual(self.ctl("plan", "apply").stdout, "nothing to do\n")
        self.assertEqual(self.json("plan", "apply"), {"plans": [], "exit": 0})


class Boot(WithStub):
    def boot_is(self, settled, *jobs):
        ids = [self.stub.add_job(7 + i, Reason="boot", Operation="apply", **values) and 7 + i for i, values in enumerate(jobs)]
        self.stub.answers["WaitBoot"] = lambda: ("bau", [settled, ids], [])

    def test_it_tells_failures_and_does_not_fail(self):
        self.stub.add_job(1, Object="0000:09:00.0", Result="failed", Message="of somebody else")
        self.boot_is(True, {}, {"Object": PF2, "Result": "failed", "Error": BAD + "Kernel", "Message": f"{PF2}: no"})
        p = self.ctl("apply", "--boot")
        self.assertEqual((p.stdout, p.stderr), ("", f"sriovctl: warning: {PF2}: no\n"))
        o = self.json("apply", "--boot")
        self.assertEqual((o["settled"], o["missing"], o["exit"], [j["job"] for j in o["jobs"]]), (True, [], 0, [7, 8]))

    def test_it_takes_the_private_socket_though_there_is_no_bus(self):
        self.env["DBUS_SYSTEM_BUS_ADDRESS"] = "unix:path=/nonexistent"
        self.boot_is(True)
        self.assertEqual(self.ctl("apply", "--boot").stderr, "")

    def test_it_waits_for_a_daemon_that_comes_late(self):
        self.boot_is(True)
        socket = os.path.join(self.dir, "run", "private")
        os.rename(socket, socket + ".not-yet")
        timer = threading.Timer(0.7, os.rename, (socket + ".not-yet", socket))
        timer.start()
        self.addCleanup(timer.join)
        began = time.monotonic()
        self.ctl("apply", "--boot")
        self.assertGreater(time.monotonic() - began, 0.6)

    def test_it_asks_a_daemon_that_was_restarted_meanwhile_again(self):
        self.stub.add_job(7, Result="failed", Message=f"{PF}: no")

        def gone():
            self.stub.answers["WaitBoot"] = lambda: ("bau", [True, [7]], [])
            raise EOFError
        self.stub.answers["WaitBoot"] = gone
        self.assertEqual(self.ctl("apply", "--boot", "-w", "5").stderr, f"sriovctl: warning: {PF}: no\n")
        self.assertEqual(len(self.stub.called("WaitBoot")), 2)

    def test_a_daemon_that_never_comes_is_8_in_time(self):
        self.env["SRIOVD_RUNTIME_DIRECTORY"] = "/nonexistent"
        p = self.ctl("apply", "--boot", "-w", "0.5", status=8)
        self.assertEqual(p.stderr.count("\n"), 1, p.stderr)

    def test_a_time_out_of_either_side_tells_what_is_missing(self):
        self.stub.add_pf(PF2, state="busy", Policy="nics", Ready=False)
        self.stub.add_pf("0000:03:00.0", Ready=False)

        def asleep():
            self.stub.lock.release()
            time.sleep(1)
            self.stub.lock.acquire()
            return "bau", [True, []], []
        for answer in (lambda: ("bau", [False, [7]], []), asleep):
            self.stub.add_job(7, Object=PF2, State="running", Result="")
            self.stub.answers["WaitBoot"] = answer
            p = self.ctl("apply", "--boot", "-w", "0.3", status=3)
            self.assertIn(f"sriovctl: {PF2}: not ready: a job is at work on it", p.stderr)
            self.assertNotIn("0000:03", p.stderr)
            self.assertIn(f"sriovctl: {PF2}: job 7 has not ended and goes on\n", p.stderr)
            self.assertIn("was not done in time, and goes on", p.stderr)
        self.stub.answers["WaitBoot"] = lambda: ("bau", [False, [7]], [])
        o = self.json("apply", "--boot", "-w", "0.3", status=3)
        self.assertEqual((o["settled"], o["exit"], len(o["missing"]), [j["state"] for j in o["jobs"]]), (False, 3, 1, ["running"]))

    def test_a_daemon_that_never_answers_does_not_hold_the_host_up_for_ever(self):
        """Nor where nobody said how long. By the clock, for there is no other way to see it: ctl() gives up after a minute."""
        over = threading.Event()

        def silent():
            self.stub.lock.release()
            over.wait(90)
            self.stub.lock.acquire()
            return "bau", [True, []], []
        self.addCleanup(over.set)
        self.stub.answers["WaitBoot"] = silent
        began = time.monotonic()
        self.assertIn("does not answer", self.ctl("apply", "--boot", status=8).stderr)
        self.assertGreater(time.monotonic() - began, 25)

    def test_it_asks_again_where_the_daemons_time_is_shorter(self):
        answers = [False, False, True]
        self.stub.answers["WaitBoot"] = lambda: ("bau", [answers.pop(0), []], [])
        self.ctl("apply", "--boot")
        self.assertEqual(answers, [])

    def test_it_takes_nothing_that_the_daemon_would_not_know(self):
        for words in ((PF,), ("-n",), ("--no-block",), ("--force=in-use",), ("--expect=1",), ("--reason=x",), ("--timeout=1",),
                      ("--on-failure=keep",), ("-H", "there")):
            self.assertEqual(self.ctl("apply", "--boot", *words, status=2).stderr.count("\n"), 1)
        self.ctl("plan", "apply", "--boot", status=2)
        self.assertEqual(self.stub.calls, [])


if __name__ == "__main__":
    run("apply")
