#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""sriovctl and what VFs have: vf, eswitch, show and list, and where its words are written down

Each test is named after the promise it keeps.
"""
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from base import BAD, PF, VF0, VF1, WithStub, run  # noqa: E402

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
ATTRIBUTES = {"mac": "02:00:00:00:01:00", "vlan": "100", "qos": "0"}
KEYS = ("mac=02:00:00:00:01:00", "vlan=100", "qos=3", "vlan-proto=802.1ad", "spoofchk=on", "trust=off", "link-state=auto",
        "min-rate=10", "max-rate=1000", "query-rss=on", "node-guid=00:11:22:33:44:55:66:77", "port-guid=00:11:22:33:44:55:66:78",
        "msix=16", "queues=4", "interrupts=5")


class Vf(WithStub):
    def setUp(self):
        super().setUp()
        path = self.stub.add_job(7, Operation="set-vf")
        self.stub.answers["SetVF"] = lambda *_: ("o", [path], [])

    def test_all_keys_go_to_the_daemon_in_words(self):
        self.ctl("vf", PF + "/vf3", *KEYS, "driver=vfio-pci")
        want = dict(k.split("=") for k in KEYS + ("driver=vfio-pci",))
        self.assertEqual(self.stub.called("SetVF"), [[PF, 3, {k: ("s", v) for k, v in want.items()}, {}]])

    def test_a_value_is_told_as_the_table_has_it(self):
        self.ctl("vf", PF + "/3", "mac=AA:bb:CC:dd:ee:0F", "spoofchk=yes", "link_state=enable", "driver=none")
        self.assertEqual(self.stub.called("SetVF")[0][2], {"mac": ("s", "aa:bb:cc:dd:ee:0f"), "spoofchk": ("s", "on"),
                                                           "link-state": ("s", "enable"), "driver": ("s", "none")})

    def test_each_way_to_name_a_vf_is_its_pf_and_index(self):
        self.stub.change(self.stub.path(PF) + "_vf1", NetDevs=["ens1v1"])
        for name, want in ((PF + "/vf3", [PF, 3]), (PF + "/3", [PF, 3]), ("01:00.0/vf0", ["01:00.0", 0]), ("ens1/17", ["ens1", 17]),
                           ("pci/" + PF + "/1", ["pci/" + PF, 1]), (VF1, [PF, 1]), ("01:10.0", [PF, 0]), ("ens1v1", [PF, 1])):
            self.ctl("vf", name, "vlan=1")
            self.assertEqual(self.stub.called("SetVF")[-1][:2], want, name)

    def test_what_nobody_can_ask_for_is_not_printed(self):
        self.stub.change(self.stub.path(PF) + "_vf1", Attributes={"queues": "0", "interrupts": "0", "vlan": "0"})
        self.assertEqual(self.ctl("vf", VF1).stdout.splitlines()[1:], ["vlan=0"])
        self.assertEqual(self.json("vf", VF1)["attributes"], {"queues": "0", "interrupts": "0", "vlan": "0"})

    def test_its_options_are_those_of_a_job(self):
        self.ctl("vf", VF0, "vlan=1", "--force=in-use", "--expect=8f", "--reason=x")
        self.assertEqual(self.stub.called("SetVF")[-1][3], {"force": ("as", ["in-use"]), "expect": ("s", "8f"), "reason": ("s", "x")})
        self.assertEqual(self.ctl("vf", VF0, "vlan=1", "--no-block").stdout, "7\n")

    def test_a_plan_has_index_and_attributes(self):
        self.stub.answers["Plan"] = lambda *_: ("saa{sv}", ["id", []], [])
        for words in (("plan", "vf"), ("-n", "vf")):
            self.ctl(*words, PF + "/vf3", "vlan=100", "driver=default")
            self.assertEqual(self.stub.called("Plan")[-1], ["set-vf", {
                "function": ("s", PF), "index": ("u", 3),
                "attributes": ("a{sv}", {"vlan": ("s", "100"), "driver": ("s", "default")})}])
        self.assertEqual(self.stub.called("SetVF"), [])

    def test_without_a_key_it_shows_them_as_they_can_be_typed(self):
        self.stub.change(self.stub.path(PF) + "_vf1", Attributes=ATTRIBUTES, MAC=ATTRIBUTES["mac"], VLAN=100)
        self.stub.change(self.stub.path(PF) + "_vf0", Driver="")
        for name in (PF + "/vf1", PF + "/1", VF1):
            self.assertEqual(self.ctl("vf", name).stdout, "driver=vfio-pci\nmac=02:00:00:00:01:00\nvlan=100\nqos=0\n")
        self.assertEqual(self.ctl("vf", VF0).stdout, "driver=none\n")
        o = self.json("vf", VF1)
        self.assertEqual((o["attributes"], o["mac"], o["vlan"], o["ready"]), (ATTRIBUTES, ATTRIBUTES["mac"], 100, True))
        self.assertEqual(self.stub.called("SetVF"), [])

    def test_a_wrong_word_is_told_with_the_right_one(self):
        vf = PF + "/vf0"
        for word, line in (("valn=1", "'valn' is no attribute of a VF; did you mean 'vlan'?"),
                           ("zzzzzzzz=1", "'zzzzzzzz' is no attribute of a VF; there are driver, msix, queues, "),
                           ("drivr=x", "did you mean 'driver'?"),
                           ("vlan=4096", "vlan: takes 0 (none) to 4095, not '4096'; nothing was changed"),
                           ("vlan=010", "vlan: takes"), ("vlan=-1", "vlan: takes"), ("vlan=", "vlan: takes"),
                           ("mac=01:00:00:00:00:00", "mac: takes a MAC address of one station"),
                           ("trust=maybe", "trust: takes on or off, not 'maybe'"), ("driver=", "driver: takes a name, default or none"),
                           ("msix=0", "msix: takes 1 to 2048"), ("vlan", "'vlan': give KEY=VALUE, as vlan=100"),
                           ("x" * 99 + "=1", "is no attribute of a VF"), ("=1", "'' is no attribute of a VF"),
                           ("qos=3", "qos: means nothing without vlan; give both"),
                           ("queues=3", "queues: means nothing without interrupts; give both"),
                           ("min-rate=5 max-rate=3", "min-rate: is more than max-rate; nothing was changed")):
            p = self.ctl("vf", vf, *word.split(), status=2)
            self.assertEqual(p.stderr.count("\n"), 1, p.stderr)
            self.assertTrue(p.stderr.startswith(f"sriovctl: {vf}: "), p.stderr)
            self.assertIn(line, p.stderr)
            self.assertEqual(self.json("vf", vf, *word.split(), status=2)["error"], BAD + "BadOption")
        for words in (("vlan=1", "vlan=2"), ("driver=a", "driver=a")):
            self.assertIn("is there twice", self.ctl("vf", vf, *words, status=2).stderr)
        self.assertEqual(self.stub.calls, [])

    def test_what_is_no_vf_is_refused(self):
        self.stub.answers["Plan"] = lambda *_: ("saa{sv}", ["id", []], [])
        self.assertEqual(self.ctl("vf", PF, "vlan=1", status=2).stderr,
                         f"sriovctl: {PF}: is a PF; name one of its VFs, as {PF}/vf0\n")
        self.ctl("vf", PF, status=2)
        self.assertIn("no such device", self.ctl("vf", "nix", "vlan=1", status=10).stderr)
        self.ctl("vf", PF + "/vf9", status=10)
        for words in ((), ("", "vlan=1"), ("x" * 300 + "/3", "vlan=1"), (PF + "/vf0", "-n")):
            self.assertEqual(self.ctl("vf", *words, status=2).stderr.count("\n"), 1)

    def test_a_vf_whose_pf_is_gone_can_be_given_nothing(self):
        del self.stub.objects[self.stub.path(PF)]
        p = self.ctl("vf", VF0, "vlan=1", status=10)
        self.assertIn(f"{VF0}: its PF is gone", p.stderr)

    def test_each_refusal_has_its_status(self):
        for name, status in (("Unsupported", 1), ("NoSuchDevice", 10), ("InUse", 5), ("BadOption", 2), ("NotAuthorized", 6)):
            self.stub.refuse("SetVF", name, f"{VF0}: no")
            self.assertEqual(self.ctl("vf", VF0, "vlan=1", status=status).stderr, f"sriovctl: {VF0}: no\n")


class Eswitch(WithStub):
    def test_it_shows_the_mode(self):
        self.stub.change(self.stub.path(PF), EswitchMode="switchdev")
        self.assertEqual(self.ctl("eswitch", PF).stdout, "switchdev\n")
        self.assertEqual(self.json("eswitch", PF), {"pf": PF, "eswitch_mode": "switchdev"})

    def test_no_mode_is_told(self):
        p = self.ctl("eswitch", "01:00.0")
        self.assertEqual((p.stdout, p.stderr), ("-\n", f"sriovctl: {PF}: no mode was seen; its driver may have none\n"))
        self.assertEqual(self.ctl("eswitch", PF, "--no-legend").stderr, "")
        self.assertEqual(self.json("eswitch", PF)["eswitch_mode"], None)

    def test_it_sets_the_mode(self):
        path = self.stub.add_job(7, Operation="eswitch")
        self.stub.answers["SetEswitchMode"] = lambda *_: ("o", [path], [])
        self.ctl("eswitch", PF, "switchdev", "--reason=x")
        self.assertEqual(self.stub.called("SetEswitchMode"), [[PF, "switchdev", {"reason": ("s", "x")}]])
        self.stub.answers["Plan"] = lambda *_: ("saa{sv}", ["id", []], [])
        self.ctl("plan", "eswitch", PF, "legacy")
        self.assertEqual(self.stub.called("Plan"), [["eswitch", {"function": ("s", PF), "mode": ("s", "legacy")}]])

    def test_wrong_usage_asks_for_nothing(self):
        self.assertEqual(self.ctl("eswitch", PF, "switchdv", status=2).stderr,
                         f"sriovctl: {PF}: 'switchdv': no eswitch mode; did you mean 'switchdev'?\n")
        self.assertIn("there are legacy and switchdev\n", self.ctl("eswitch", PF, "zzzz", status=2).stderr)
        for words in ((), (PF, ""), (PF, "legacy", "x"), (PF, "-n"), ("", "legacy")):
            self.assertEqual(self.ctl("eswitch", *words, status=2).stderr.count("\n"), 1)
        self.assertEqual(self.stub.calls, [])

    def test_a_vf_or_nothing_has_none(self):
        self.assertIn("is a VF; ask its PF", self.ctl("eswitch", VF0, status=10).stderr)
        self.stub.refuse("Plan", "NoSuchDevice", "nix: no such device")
        self.ctl("eswitch", "nix", status=10)


class Show(WithStub):
    def setUp(self):
        super().setUp()
        self.stub.change(self.stub.path(PF), Policy="nics", EswitchMode="legacy", Ready=False)
        self.stub.change(self.stub.path(PF) + "_vf1", Attributes=ATTRIBUTES, MAC=ATTRIBUTES["mac"], VLAN=100, Ready=False)

    def test_a_pf_shows_policy_mode_and_readiness(self):
        out = self.ctl("show", PF).stdout
        for line in ("Policy: nics", "Ready: no", "Eswitch mode: legacy", f"VF 0: {VF0}, driver vfio-pci, net devices -, attributes -"):
            self.assertRegex(out, rf"(?m)^ *{re.escape(line)}$")
        self.assertIn("attributes mac=02:00:00:00:01:00 vlan=100 qos=0, not ready\n", out)
        o = self.json("show", PF)
        self.assertEqual((o["policy"], o["eswitch_mode"], o["ready"]), ("nics", "legacy", False))

    def test_a_vf_shows_its_attributes(self):
        self.assertIn("Attributes: mac=02:00:00:00:01:00 vlan=100 qos=0\n", self.ctl("show", VF1).stdout)
        o = self.json("show", VF1)
        self.assertEqual((o["attributes"], o["mac"], o["vlan"], o["ready"]), (ATTRIBUTES, ATTRIBUTES["mac"], 100, False))

    def test_list_has_the_policy_and_more_by_its_columns(self):
        lines = self.ctl("list").stdout.splitlines()
        self.assertEqual(lines[0].split(), ["ADDRESS", "DRIVER", "NETDEVS", "VFS", "TOTAL", "STATE", "POLICY", "NAME"])
        self.assertEqual(lines[1].split()[6], "nics")
        self.assertEqual(self.ctl("list", "--no-legend", "-o", "ESWITCH,READY").stdout.split(), ["legacy", "no"])
        self.assertIn("mac=02:00:00:00:01:00 vlan=100 qos=0", self.ctl("list", "-a", "-o", "MAC,ATTRIBUTES").stdout)


class Written(WithStub):
    """The keys of the attributes are written down in five more places."""

    def test_all_keys_stand_in_man_pages_completions_and_interface(self):
        line = self.ctl("vf", VF0, "zzzzzzzzz=1", status=2).stderr
        keys = line.strip().split("there are ")[1].split(", ")
        self.assertEqual(sorted(keys), sorted(["driver"] + [k.split("=")[0] for k in KEYS]))
        for name, pattern in (("cli/sriovctl.1.scd", r"(?m)^\|. .*\*{}\*"), ("cli/completion/_sriovctl", r"(?s)compadd -S=.*[ ]{}\b"),
                              ("cli/completion/sriovctl.bash", r"(?s)_keys='[^']*\b{}="), ("systemd/org.sriovd1.xml", '"{}" [sub]'),
                              ("systemd/org.sriovd1.5.scd", r"\*{}\* [sub]")):
            with open(os.path.join(SOURCE, name), encoding="utf-8") as f:
                text = f.read()
            for key in keys:
                self.assertRegex(text, pattern.format(key), f"{key} stands not in {name}")

    def test_all_columns_stand_in_the_man_page(self):
        with open(os.path.join(SOURCE, "cli/sriovctl.1.scd"), encoding="utf-8") as f:
            options = f.read().split("*--output*")[1].split("*--json*")[0]
        for verb in ("list", "diff"):
            line = self.ctl(verb, "-o", "NIX", status=2).stderr
            known = line.strip().split("there are ")[1].split(",")
            text = options.split(f"*{verb}* has")[1].split(";")[0]
            for column in known:
                self.assertRegex(text, rf"\b{column}\b", f"{column} of {verb}")


if __name__ == "__main__":
    run("vf")
