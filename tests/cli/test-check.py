#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""sriovctl check: mistakes in files with their lines, with and without a daemon

Each test is named after the promise it keeps.
"""
import json
import os
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from stub import Stub, new_folder  # noqa: E402

SRIOVCTL = os.environ["SRIOVCTL"]
GOOD = 'policy = ( { name = "%s"; match = { driver = "igb"; }; vfs = 4; } );\n'
BAD = 'policy = ( { name = "bad";\n match = { drvier = "igb"; };\n vfs = 70000; } );\n'
CONFLICT = {"pf": ("s", "0000:01:00.0"), "policy": ("s", "b"), "file": ("s", "/x/b.conf"), "line": ("u", 3), "error": ("s", "org.sriovd1.Error.PolicyConflict"),
            "message": ("s", "0000:01:00.0: policies 'a' and 'b' both want it")}
MISTAKE = {"file": ("s", "/x/a.conf"), "line": ("u", 1), "error": ("s", "org.sriovd1.Error.BadOption"),
           "message": ("s", "there is no 'drvier' here")}


class Check(unittest.TestCase):
    def setUp(self):
        self.dir = new_folder()
        self.addCleanup(shutil.rmtree, self.dir)
        self.policies = os.path.join(self.dir, "policy.d")
        os.mkdir(self.policies)
        self.env = dict(os.environ, SRIOVD_RUNTIME_DIRECTORY=os.path.join(self.dir, "run"), LC_ALL="C.UTF-8", TERM="dumb",
                        DBUS_SYSTEM_BUS_ADDRESS=f"unix:path={self.dir}/bus", SRIOVD_POLICY=self.policies,
                        SRIOVD_CONFIG=self.write("sriovd.conf", ""), SRIOVD_DRIVERS=self.write("drivers.conf", ""))

    def write(self, name, text):
        path = os.path.join(self.dir, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def check(self, *words, status=0):
        p = subprocess.run([SRIOVCTL, "check", *words], env=self.env, capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(p.returncode, status, f"{words}: {p.stdout}{p.stderr}")
        return p

    def daemon_says(self, *rows):
        stub = Stub(self.dir)
        stub.answers["Check"] = lambda: ("aa{sv}", [list(rows)], [])
        return stub

    def test_files_are_checked_without_a_daemon(self):
        p = self.check(self.write("a.conf", GOOD % "a"), self.write("b.conf", GOOD % "b"))
        self.assertEqual((p.stdout, p.stderr), ("", "sriovctl: no mistake; 2 policies\n"))

    def test_each_mistake_is_a_line_with_file_and_line(self):
        bad = self.write("bad.conf", BAD)
        p = self.check(bad, self.write("good.conf", GOOD % "good"), "/nowhere.conf", status=1)
        self.assertEqual(p.stdout, f"{bad}:2: there is no 'drvier' here; did you mean 'driver'?\n"
                         f"{bad}:3: 'vfs' is 70000, and can be 0 to 65535\n/nowhere.conf: No such file or directory\n")
        self.assertEqual(p.stderr, "")

    def test_mistakes_in_json_have_their_keys(self):
        bad = self.write("bad.conf", BAD)
        found = json.loads(self.check(bad, "/nowhere.conf", "--json", status=1).stdout)
        self.assertEqual(found["mistakes"][1], {"file": bad, "line": 3, "message": "'vfs' is 70000, and can be 0 to 65535"})
        self.assertEqual(found["mistakes"][2], {"file": "/nowhere.conf", "line": None, "message": "No such file or directory"})
        self.assertEqual((found["policies"], found["conflicts"]), (0, None))

    def test_two_files_with_one_name_of_a_policy_are_a_mistake(self):
        a, b = self.write("a.conf", GOOD % "x"), self.write("b.conf", GOOD % "x")
        self.assertEqual(self.check(a, b, status=1).stdout, f"{b}:1: there is a policy 'x' already, in {a}:1\n")

    def test_settings_and_drivers_are_known_by_their_names(self):
        p = self.check(self.write("sriovd.conf", "fan_uot = 4;"), self.write("drivers.conf", "\nquirk = ();"), status=1)
        self.assertEqual(p.stdout, f"{self.dir}/sriovd.conf:1: there is no 'fan_uot'; did you mean 'fan_out'?\n"
                         f"{self.dir}/drivers.conf:2: there is no 'quirk'; did you mean 'quirks'?\n")

    def test_without_a_file_all_that_the_daemon_reads_is_checked(self):
        self.write("policy.d/10-bad.conf", BAD)
        self.write("policy.d/20-good.conf", GOOD % "good")
        self.write("sriovd.conf", "\n\ngate = 5;")
        lines = self.check(status=1).stdout.splitlines()
        self.assertEqual([line.split(": ")[0] for line in lines],
                         [f"{self.dir}/sriovd.conf:3", f"{self.policies}/10-bad.conf:2", f"{self.policies}/10-bad.conf:3"])

    def test_without_a_daemon_the_files_alone_are_checked_and_it_is_said(self):
        p = self.check()
        self.assertEqual(p.stderr, "sriovctl: no sriovd answers; whether two policies want one PF is not checked\n"
                         "sriovctl: no mistake; 0 policies\n")
        self.assertEqual(self.check("--json=short").stdout, '{"policies":0,"mistakes":[],"conflicts":null}\n')

    def test_a_daemon_is_asked_what_only_real_pfs_tell(self):
        self.daemon_says(MISTAKE, CONFLICT)
        p = self.check(status=20)
        self.assertEqual((p.stdout, p.stderr), ("/x/b.conf:3: 0000:01:00.0: policies 'a' and 'b' both want it\n", ""))
        found = json.loads(self.check("--json", status=20).stdout)
        self.assertEqual([(c["pf"], c["policy"], c["file"], c["line"], c["error"]) for c in found["conflicts"]],
                         [("0000:01:00.0", "b", "/x/b.conf", 3, "org.sriovd1.Error.PolicyConflict")])

    def test_a_mistake_goes_before_a_conflict(self):
        self.daemon_says(CONFLICT)
        self.write("policy.d/10-bad.conf", BAD)
        self.assertEqual(len(self.check(status=1).stdout.splitlines()), 3)

    def test_a_mistake_that_the_daemon_finds_as_well_is_not_told_twice(self):
        self.daemon_says(MISTAKE)
        self.assertEqual(self.check().stderr, "sriovctl: no mistake; 0 policies\n")

    def test_of_named_files_no_daemon_is_asked(self):
        stub = self.daemon_says(CONFLICT)
        self.check(self.write("a.conf", GOOD % "a"))
        self.assertEqual(stub.called("Check"), [])

    def test_a_daemon_that_does_not_know_the_question_is_none(self):
        Stub(self.dir)
        self.assertIn("no sriovd answers", self.check().stderr)

    def test_another_host_has_other_files(self):
        self.assertIn("the files of this host", self.check("-H", "there", status=2).stderr)


if __name__ == "__main__":
    unittest.main(verbosity=1)
