#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Opener: every way to open a file, and who it was

Each test is named after the promise it keeps.
"""
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from case import WithGate, main  # noqa: E402
from stage import IGB0, IGB1  # noqa: E402


class Ways(WithGate):
    """Somebody has his turn: who writes waits, who reads does not."""

    def setUp(self):
        super().setUp()
        self.file = self.tree.fn(IGB0, "sriov_numvfs")
        self.first, self.fd = self.enter(self.tree.fn(IGB1, "sriov_numvfs"))

    def need(self, how):
        if self.puppet().ask("open", how, self.tree.fn(IGB0, "class")) == "none":
            raise unittest.SkipTest(f"SKIP: this kernel or machine has no {how}")

    def held(self, how, verb="open"):
        self.need(how)
        p = self.puppet()
        self.stage.knock(p, self.file, how, verb)
        self.assert_held(p, how)
        self.close(self.first, self.fd)
        self.assert_in(p)

    def passes(self, how, verb="open"):
        self.need(how)
        jobs = self.stage.n_jobs()
        self.assertGreaterEqual(Ways.fd(self.puppet().ask(verb, how, self.file)), 0)
        self.assertEqual(self.stage.n_jobs(), jobs)

    @staticmethod
    def fd(answer):
        word, number = answer.split()
        return int(number) if word == "fd" else -int(number)

    def test_to_write_waits(self):
        self.held("wronly")

    def test_to_read_and_write_waits(self):
        self.held("rdwr")

    def test_to_append_waits(self):
        self.held("append")

    def test_to_write_without_blocking_waits_all_the_same(self):
        self.held("nonblock")

    def test_for_neither_reading_nor_writing_counts_as_writing(self):
        self.held("both")

    def test_creat_waits(self):
        self.held("creat")

    def test_openat2_to_write_waits(self):
        self.held("openat2-wronly")

    def test_in_a_thread_to_write_waits(self):
        self.held("wronly", "threaded")

    def test_io_uring_to_write_waits(self):
        self.held("ring-wronly")

    def test_io_uring_to_read_waits_too_for_nobody_can_tell(self):
        self.held("ring-rdonly")

    def test_a_32_bit_open_to_write_waits(self):
        self.held("compat-open-wronly")

    def test_a_32_bit_openat_to_write_waits(self):
        self.held("compat-openat-wronly")

    def test_a_32_bit_creat_waits(self):
        self.held("compat-creat")

    def test_to_read_passes(self):
        self.passes("rdonly")

    def test_openat2_to_read_passes(self):
        self.passes("openat2-rdonly")

    def test_in_a_thread_to_read_passes(self):
        self.passes("rdonly", "threaded")

    def test_only_a_path_passes(self):
        self.passes("path")

    def test_a_32_bit_open_to_read_passes(self):
        self.passes("compat-open-rdonly")

    def test_a_32_bit_openat_to_read_passes(self):
        self.passes("compat-openat-rdonly")


class Turns(WithGate):
    """The turn of one who came in another way than by open() lasts as long, too."""

    def setUp(self):
        super().setUp()
        self.second = self.puppet()

    def lasts(self, how, verb="open"):
        p = self.puppet()
        answer = p.ask(verb, how, self.tree.fn(IGB0, "sriov_numvfs"))
        if answer == "none":
            raise unittest.SkipTest(f"SKIP: this kernel or machine has no {how}")
        self.stage.knock(self.second, self.tree.fn(IGB1, "sriov_numvfs"))
        self.assert_held(self.second, how)
        self.close(p, Ways.fd(answer))
        self.assert_in(self.second)

    def test_of_a_thread(self):
        self.lasts("wronly", "threaded")

    def test_of_io_uring(self):
        self.lasts("ring-wronly")

    def test_of_openat2(self):
        self.lasts("openat2-wronly")

    def test_of_a_32_bit_program(self):
        self.lasts("compat-open-wronly")


class Who(WithGate):
    more = 'gate_except = [ "/usr/local/bin/other" ];\n'

    def test_the_log_names_the_one_who_is_let_in(self):
        p, _ = self.enter(self.tree.fn(IGB0, "sriov_numvfs"))
        self.stage.until_log(rf"'puppet' \(process {p.pid}\b")

    def test_shells_and_tee_come_in(self):
        path = self.tree.fn(IGB0, "sriov_numvfs")
        for line in (f"echo 1 > {path}", f"echo 1 | tee {path}", f"echo 1 >> {path}", f"exec 3<>{path}; echo 1 >&3"):
            self.assertEqual(os.system(line + " > /dev/null"), 0, line)


if __name__ == "__main__":
    main()
