#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The gate on the bus, in sriovctl and in the log: who waits, who is inside, and what is wanted

Each test is named after the promise it keeps.
"""
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "bus"))
from case import WithGate, main  # noqa: E402
from stage import IGB0, IGB1, read, until, write  # noqa: E402
import wire  # noqa: E402

MANAGER, JOB, ROOT = "org.sriovd1.Manager", "org.sriovd1.Job", "/org/sriovd1"
COUNT = f"bus/pci/devices/{IGB0}/sriov_numvfs"
RESET = f"bus/pci/devices/{IGB1}/reset"


def plain(values):
    return {k: v[1] for k, v in values.items()}


class WithBus(WithGate):
    def setUp(self):
        super().setUp()
        self.bus = self.connect()

    def connect(self):
        bus = wire.Bus(self.stage.path("run/private"), hello=False)
        self.addCleanup(bus.close)
        return bus

    def gate(self):
        state, programs = self.bus.call("Gate")
        return plain(state), [plain(p) for p in programs]

    def set_mode(self, mode, options=None):
        self.bus.call("SetGateMode", "sa{sv}", mode, options or {})

    def job(self, number):
        for n, _, path, _, _ in self.bus.call("ListJobs"):
            if n == number:
                return self.bus.get_all(path, JOB)
        raise KeyError(number)

    def restart(self):
        self.stage.stop()
        self.stage.start()
        self.bus = self.connect()


class Programs(WithBus):
    def test_who_waits_and_who_is_inside_is_told(self):
        inside, fd = self.enter(self.tree.at(COUNT))
        waiting = self.puppet()
        self.stage.knock(waiting, self.tree.at(RESET))
        _, programs = self.gate()
        self.assertEqual([(p["state"], p["pid"], p["file"]) for p in programs],
                         [("inside", inside.pid, COUNT), ("waiting", waiting.pid, RESET)])
        exe = os.path.realpath(os.environ["PUPPET"])
        for p in programs:
            self.assertEqual((p["command"], p["exe"], p["uid"]), ("puppet", exe, os.geteuid()))
            self.assertGreater(p["tid"], 0)
            job = self.job(p["job"])
            self.assertEqual((job["Operation"], job["PID"], job["UID"]), ("foreign", p["pid"], p["uid"]))
            self.assertEqual(plain(job["Opener"]), {k: p[k] for k in ("pid", "tid", "uid", "command", "exe", "unit", "file")})
            self.assertTrue(0 <= p["since"] - job["Created"] < 60000000, (p["since"], job["Created"]))
        self.assertEqual([self.job(p["job"])["State"] for p in programs], ["running", "waiting"])
        self.close(inside, fd)
        self.close(waiting, self.assert_in(waiting))
        until(lambda: self.gate()[1] == [], "nobody at the gate")
        state, _ = self.gate()
        self.assertEqual((state["passed"], state["denied"]), (2, 0))
        self.assertEqual(plain(self.job(programs[0]["job"])["Opener"])["file"], COUNT)

    def test_a_job_of_ours_has_no_opener(self):
        self.assertEqual(self.stage.ctl("rescan").returncode, 0)
        job = self.job(self.bus.call("ListJobs")[-1][0])
        self.assertEqual((job["Operation"], job["Opener"]), ("rescan", {}))

    def test_sriovctl_shows_the_program(self):
        inside, fd = self.enter(self.tree.at(COUNT))
        gate = json.loads(self.stage.ctl("gate", "--json=short").stdout)
        self.assertEqual([(p["state"], p["pid"], p["command"], p["file"]) for p in gate["programs"]],
                         [("inside", inside.pid, "puppet", COUNT)])
        self.assertGreater(gate["doors"], 10)
        number = str(gate["programs"][0]["job"])
        self.assertIn("Command: puppet\n", self.stage.ctl("job", number).stdout)
        self.assertEqual(self.stage.ctl("jobs", "--no-legend", "-o", "OPERATION,COMMAND").stdout.split(),
                         ["foreign", "puppet"])
        self.close(inside, fd)

    def test_the_log_names_the_program_from_knock_to_end(self):
        inside, fd = self.enter(self.tree.at(COUNT))
        self.close(inside, fd)
        self.stage.until_log("job 1: foreign done")
        who = rf"'puppet' \(process {inside.pid}, uid {os.geteuid()}, {os.path.realpath(os.environ['PUPPET'])}[^)]*\)"
        at = rf"(?m)^{IGB0}: job 1: "
        for line in (f"{at}{who} opens {COUNT} to write, and waits for its turn$", f"{at}{who} is let in$",
                     rf"{at}'puppet' \(process {inside.pid}\) is out again \(\d+ ms\)$", f"{at}foreign done, {who}$"):
            self.assertRegex(self.stage.log(), line)

    def test_a_name_that_is_no_text_breaks_no_answer(self):
        folder = os.path.join(os.fsencode(self.stage.dir), b"bad")
        os.mkdir(folder)
        name = os.path.join(folder, b"pup\xff\x1bpet")
        os.link(os.environ["PUPPET"], name) if os.stat(os.environ["PUPPET"]).st_dev == os.stat(folder).st_dev \
            else self.copy(name)
        p = self.puppet(name)
        fd = p.open(self.tree.at(COUNT))
        _, programs = self.gate()
        self.assertEqual(programs[0]["command"], "pup??pet")
        self.assertTrue(programs[0]["exe"].endswith("/bad/pup??pet"))
        self.assertEqual(plain(self.job(programs[0]["job"])["Opener"])["command"], "pup??pet")
        self.close(p, fd)

    @staticmethod
    def copy(name):
        with open(os.environ["PUPPET"], "rb") as f, open(name, "wb") as to:
            to.write(f.read())
        os.chmod(name, 0o755)


class Mode(WithBus):
    def assert_mode(self, mode, wanted=None):
        state, _ = self.gate()
        self.assertEqual((state["mode"], state["wanted"], state["why-off"]), (mode, wanted or mode, ""))
        self.assertEqual(self.bus.get(ROOT, MANAGER, "GateMode"), mode)

    def test_a_mode_is_set_and_told(self):
        self.assert_mode("serialize")
        for mode in ("protect", "observe", "off", "serialize"):
            self.bus.signals.clear()
            self.set_mode(mode, {"reason": ("s", "a try")})
            self.bus.wait_signal("PropertiesChanged", lambda m, mode=mode: m.body[1].get("GateMode", ("s", ""))[1] == mode)
            self.assert_mode(mode)
        self.stage.until_log("'off' asked for by uid 0: a try")

    def test_what_was_set_outlives_the_daemon(self):
        self.set_mode("protect")
        self.restart()
        self.assert_mode("protect")
        self.stage.ctl("gate", "off")
        self.restart()
        self.assert_mode("off")
        self.assertEqual(self.stage.n_marks(), 0)

    def test_sriovd_conf_wins_where_it_was_changed_since(self):
        self.set_mode("protect")
        self.assertEqual(self.stage.ctl("reload").returncode, 0)
        self.assert_mode("protect")
        self.stage.settings("observe")
        self.assertEqual(self.stage.ctl("reload").returncode, 0)
        self.assert_mode("observe")
        self.restart()
        self.assert_mode("observe")
        self.set_mode("protect")
        self.stage.stop()
        self.stage.settings("serialize")
        self.stage.start()
        self.bus = self.connect()
        self.assert_mode("serialize")

    def test_a_broken_file_is_as_none(self):
        self.set_mode("protect")
        self.stage.stop()
        for text in ("", "protect", "nonsense serialize\n", "protect nonsense\n", "x" * 500):
            write(self.stage.path("run/gate"), text)
            self.stage.start()
            self.bus = self.connect()
            self.assert_mode("serialize")
            self.stage.stop()
        self.stage.start()

    def test_a_mode_that_cannot_be_kept_is_refused(self):
        os.mkdir(self.stage.path("run/gate"))
        with self.assertRaises(wire.BusError) as caught:
            self.set_mode("protect")
        self.assertEqual(caught.exception.name, "org.sriovd1.Error.Unsupported")
        self.assert_mode("serialize")
        os.rmdir(self.stage.path("run/gate"))
        self.set_mode("protect")
        self.assertEqual(read(self.stage.path("run/gate")), "protect serialize\n")

    def test_wrong_modes_and_options_are_refused(self):
        for mode, options, word in (("protct", {}, "'protct'"), ("", {}, "''"), ("off", {"expect": ("s", "x")}, "expect"),
                                    ("off", {"timeout": ("t", 5)}, "timeout"), ("off", {"force": ("as", [])}, "force")):
            with self.assertRaises(wire.BusError) as caught:
                self.set_mode(mode, options)
            self.assertEqual(caught.exception.name, "org.sriovd1.Error.BadOption")
            self.assertIn(word, caught.exception.message)
        self.assert_mode("serialize")


class Doctor(WithGate):
    lease = 1

    def findings(self):
        p = self.stage.ctl("doctor", "--json=short")
        return [(f["state"], f["subject"], f["text"]) for f in json.loads(p.stdout)["findings"] if f["check"] == "gate"]

    def test_finds_nothing_where_the_gate_is_as_it_is_wanted(self):
        for mode in ("serialize", "off"):
            self.assertEqual(self.stage.ctl("gate", mode).returncode, 0)
            self.assertEqual(self.findings(), [("ok", None, f"{mode}, as it is wanted")])

    def test_finds_a_gate_that_is_off_though_it_is_wanted_and_why(self):
        self.stage.stop()
        self.stage.before = ["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin"]
        self.stage.start()
        found = self.findings()
        self.assertEqual(len(found), 1, found)
        self.assertEqual(found[0][:2], ("warn", None))
        self.assertIn("off, though sriovd.conf or 'sriovctl gate' says 'serialize': Operation not permitted", found[0][2])
        self.assertEqual(self.stage.ctl("gate", "off").returncode, 0)
        self.assertEqual(self.findings(), [("ok", None, "off, as it is wanted")])

    def test_finds_who_writes_in_no_order(self):
        p, fd = self.enter(self.tree.at(COUNT))
        self.stage.until_log("keeps .* open")
        self.assertEqual(self.findings(), [
            ("warn", "puppet", f"process {p.pid} keeps '{COUNT}' open, and what it writes there is in no order; "
             "it is over when it closes that or ends")])
        self.close(p, fd)
        until(lambda: self.findings()[0][0] == "ok", "a clean bill")


if __name__ == "__main__":
    main()
