#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Turn: who waits, who comes in and when, and when a turn is over

Each test is named after the promise it keeps.
"""
import errno
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from case import WithGate, main  # noqa: E402
from stage import IGB0, IGB1, LONG, read, until, write  # noqa: E402


class Turns(WithGate):
    def setUp(self):
        super().setUp()
        self.file, self.other = self.tree.fn(IGB0, "sriov_numvfs"), self.tree.fn(IGB1, "sriov_numvfs")

    def test_a_writer_waits_until_the_one_before_it_closes(self):
        first, fd = self.enter(self.file)
        second = self.puppet()
        self.stage.knock(second, self.other)
        self.assert_held(second)
        self.close(first, fd)
        self.assert_in(second)

    def test_a_reader_passes_at_once_also_while_somebody_has_his_turn(self):
        self.enter(self.file)
        waiting = self.puppet()
        self.stage.knock(waiting, self.file)
        for path in (self.file, self.other):
            self.assertEqual(read(path), "0\n")
        self.assert_held(waiting)

    def test_what_is_written_arrives(self):
        first, fd = self.enter(self.file)
        self.assertEqual(first.ask("write", fd, "4"), "ok")
        self.assertEqual(read(self.file), "4\n")

    def test_a_file_that_is_no_door_is_never_held(self):
        self.enter(self.file)
        before = self.stage.n_jobs()
        write(self.tree.fn(IGB0, "class"), "0x020000\n")
        self.assertEqual(self.stage.n_jobs(), before)

    def test_whoever_has_his_turn_opens_a_second_door_within_it(self):
        first, _ = self.enter(self.file)
        before = self.stage.n_jobs()
        self.assertGreaterEqual(first.open(self.tree.driver("igb", "unbind")), 0)
        self.assertGreaterEqual(first.fd(first.ask("threaded", "wronly", self.other)), 0)
        self.assertEqual(self.stage.n_jobs(), before)

    def test_the_turn_lasts_until_the_last_of_its_doors_is_closed(self):
        first, fd = self.enter(self.file)
        more = first.open(self.other)
        second = self.puppet()
        self.stage.knock(second, self.file)
        self.close(first, fd)
        self.assert_held(second, "the second door is open")
        self.close(first, more)
        self.assert_in(second)

    def test_the_turn_lasts_until_the_last_of_twenty_doors_is_closed(self):
        """Also of one who opens and closes again and again in between."""
        first, fd = self.enter(self.file)
        before = self.stage.n_jobs()
        for _ in range(20):
            self.close(first, first.open(self.tree.driver("igb", "bind")))
        fds = [fd] + [first.open(self.other) for _ in range(20)]
        self.assertEqual(self.stage.n_jobs(), before)
        second = self.puppet()
        self.stage.knock(second, self.file)
        for fd in fds:
            self.assertTrue(second.is_held())
            self.close(first, fd)
        self.assert_in(second)

    def test_the_second_door_of_another_process_is_held(self):
        self.enter(self.file)
        second = self.puppet()
        self.stage.knock(second, self.tree.driver("igb", "unbind"))
        self.assert_held(second)

    def test_one_that_opens_again_and_again_does_not_keep_others_out(self):
        first, fd = self.enter(self.file)
        second = self.puppet()
        self.stage.knock(second, self.file)
        self.close(first, fd)
        first.send("open", "wronly", self.file)
        again = first.answer(1)
        if again is None:
            # Its turn was over before: now it is the other's.
            self.close(second, self.assert_in(second))
            self.assert_in(first)
        else:
            self.close(first, first.fd(again))
            self.assert_in(second)

    def test_a_hundred_writers_come_in_in_the_order_of_their_knocking(self):
        book = self.stage.path("book")
        write(book)
        first, fd = self.enter(self.tree.at("bus/pci/rescan"))
        puppets = [self.puppet() for _ in range(100)]
        for i in range(100):
            before = self.stage.n_jobs()
            path = self.tree.fn(IGB1 if i % 3 else IGB0, "sriov_numvfs")
            self.assertEqual(puppets[i].ask("start", i, path, book), "ok")
            until(lambda n=before: self.stage.n_jobs() > n, f"job of writer {i}")
        self.assertEqual(read(book), "")
        self.close(first, fd)
        until(lambda: read(book).count("\n") == 100, "all hundred", 60)
        self.assertEqual(read(book), "".join(f"{i} 0\n" for i in range(100)))

    def test_threads_of_one_process_that_wait_come_in_together(self):
        """One that waits for another of its own process would else wait for its own lease."""
        book = self.stage.path("book")
        write(book)
        first, fd = self.enter(self.tree.at("bus/pci/rescan"))
        second = self.puppet()
        for i, path in enumerate((self.file, self.other)):
            before = self.stage.n_jobs()
            self.assertEqual(second.ask("start", i, path, book), "ok")
            until(lambda n=before: self.stage.n_jobs() > n, f"job of thread {i}")
        self.close(first, fd)
        until(lambda: read(book).count("\n") == 2, "both")
        self.assertEqual(sorted(read(book).splitlines()), ["0 0", "1 0"])
        until(lambda: "took its place" in self.stage.log(), "the word of the second job's end")

    def test_none_of_many_shells_at_once_is_lost(self):
        book, n = self.stage.path("book"), 300 if LONG else 60
        write(book)
        for i in range(n):
            self.assertEqual(self.puppet().ask("start", i, self.tree.fn(IGB0, "sriov_numvfs"), book), "ok")
        until(lambda: read(book).count("\n") == n, "all of them", 120)
        self.assertEqual(sorted(int(line.split()[0]) for line in read(book).splitlines()), list(range(n)))
        self.assertEqual({line.split()[1] for line in read(book).splitlines()}, {"0"}, "none refused")

    def crowd(self, n):
        """The errors that n threads got, who knocked while somebody had his turn"""
        book = self.stage.path("book")
        write(book)
        first, fd = self.enter(self.file)
        puppets = [self.puppet() for _ in range(10)]
        for i in range(n):
            self.assertEqual(puppets[i % 10].ask("start", i, self.other, book), "ok")
        self.assertEqual(read(self.file), "0\n", "the daemon has heard them")
        self.close(first, fd)
        until(lambda: read(book).count("\n") == n, "all of them", 120)
        return [int(line.split()[1]) for line in read(book).splitlines()]

    def test_two_hundred_at_once_are_all_served(self):
        self.assertEqual(set(self.crowd(200)), {0})

    def test_whom_the_queue_has_no_room_for_is_refused_and_told_of_and_the_others_are_served(self):
        errors = self.crowd(300)
        self.assertEqual(set(errors), {0, errno.EPERM})
        self.assertGreaterEqual(errors.count(0), 200)
        self.assertEqual(len(re.findall("sriov_numvfs: refused 'puppet'", self.stage.log())), errors.count(errno.EPERM))


class Inherited(WithGate):
    """A file that was opened before a fork is the turn's for as long as the one who opened it has it."""

    def setUp(self):
        super().setUp()
        self.first, self.fd = self.enter(self.tree.fn(IGB0, "sriov_numvfs"))
        self.child = int(self.first.ask("child").split()[1])
        self.addCleanup(os.kill, self.child, 9)
        self.second = self.puppet()
        self.stage.knock(self.second, self.tree.fn(IGB1, "sriov_numvfs"))
        self.assert_held(self.second)

    def test_the_turn_ends_with_the_process_that_opened(self):
        self.first.kill()
        self.assert_in(self.second)

    def test_the_turn_ends_when_the_opener_closes_also_if_a_child_still_has_it(self):
        self.close(self.first, self.fd)
        self.assert_in(self.second)


class Lease(WithGate):
    lease = 1

    def test_one_who_keeps_the_file_and_does_nothing_loses_the_lane_and_is_told_of(self):
        self.enter(self.tree.fn(IGB0, "sriov_numvfs"))
        second = self.puppet()
        self.stage.knock(second, self.tree.fn(IGB1, "sriov_numvfs"))
        self.assert_in(second)
        self.stage.until_log("'puppet' .* keeps '.*sriov_numvfs' open; what it writes from now on is in no order")

    def unordered(self):
        p, fd = self.enter(self.tree.fn(IGB0, "sriov_numvfs"))
        self.stage.until_log("keeps .* open")
        until(lambda: self.stage.programs("unordered") == [p.pid], "it among the unordered")
        return p, fd

    def test_the_unordered_are_told_of_until_they_close(self):
        p, fd = self.unordered()
        self.close(p, fd)
        until(lambda: self.stage.programs("unordered") == [], "nobody among the unordered")

    def test_the_unordered_are_told_of_until_they_die(self):
        p, _ = self.unordered()
        p.kill()
        until(lambda: self.stage.programs("unordered") == [], "nobody among the unordered")

    def test_the_unordered_who_do_nothing_are_in_nobodys_way(self):
        self.unordered()
        self.assertEqual(self.stage.ctl("rescan").returncode, 0)
        self.enter(self.tree.fn(IGB1, "sriov_numvfs"))

    def test_the_unordered_knock_like_everybody(self):
        first, _ = self.enter(self.tree.fn(IGB0, "sriov_numvfs"))
        self.stage.until_log("keeps .* open")
        second, fd = self.enter(self.tree.fn(IGB1, "sriov_numvfs"))
        self.stage.knock(first, self.tree.driver("igb", "bind"))
        self.close(second, fd)
        self.assert_in(first)


class Before(WithGate):
    def test_who_had_a_door_open_before_the_gate_is_told_of_as_unordered(self):
        self.stage.stop()
        p = self.puppet()
        fd = p.open(self.tree.fn(IGB0, "sriov_numvfs"))
        reader = self.puppet()
        reader.open(self.tree.fn(IGB1, "sriov_numvfs"), "rdonly")
        self.stage.start()
        until(lambda: self.stage.programs("unordered") == [p.pid], "the writer, and he alone")
        self.close(p, fd)
        until(lambda: self.stage.programs("unordered") == [], "nobody")


if __name__ == "__main__":
    main()
