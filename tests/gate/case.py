# SPDX-License-Identifier: GPL-2.0-or-later
"""Case: what the tests of the gate share"""
import ctypes
import errno
import os
import sys
import unittest

from stage import Stage

FAN_CLASS_CONTENT, FAN_MARK_ADD, FAN_OPEN_PERM, AT_FDCWD = 4, 1, 0x10000, -100


def why_not():
    """Why this host cannot run these tests; None if it can"""
    if os.geteuid() != 0:
        return "needs root"
    libc = ctypes.CDLL(None, use_errno=True)
    group = libc.fanotify_init(FAN_CLASS_CONTENT, os.O_WRONLY)
    if group < 0:
        return f"needs fanotify: {os.strerror(ctypes.get_errno())}"
    r = libc.fanotify_mark(group, FAN_MARK_ADD, ctypes.c_uint64(FAN_OPEN_PERM), AT_FDCWD, b"/etc/hostname")
    error = ctypes.get_errno()
    os.close(group)
    if r < 0 and error != errno.ENOENT:
        return f"needs fanotify's permission events: {os.strerror(error)}"
    return None


class WithGate(unittest.TestCase):
    # Seconds: no turn is to be over because the host is slow.
    mode, lease, more = "serialize", 600, ""

    def setUp(self):
        self.stage = Stage(self.mode, self.lease, self.more)
        self.addCleanup(self.stage.done)
        self.tree = self.stage.tree
        self.stage.start()

    def tearDown(self):
        if self.stage.daemon:
            self.assertIsNone(self.stage.daemon.poll(), "the daemon ended: " + self.stage.log()[-3000:])
        for word in ("AddressSanitizer", "runtime error"):
            self.assertNotIn(word, self.stage.log())

    def puppet(self, name=None):
        return self.stage.puppet(name)

    def enter(self, path, how="wronly"):
        """A puppet that has its turn and the file, and the descriptor"""
        p = self.puppet()
        fd = p.open(path, how)
        self.assertGreaterEqual(fd, 0, self.stage.log())
        return p, fd

    def assert_held(self, puppet, why=""):
        self.assertIsNone(puppet.answer(0.2), f"not held: {why}")

    def assert_in(self, puppet, seconds=30):
        """It was let in by now; the descriptor"""
        answer = puppet.answer(seconds)
        self.assertIsNotNone(answer, "still held\n" + self.stage.log()[-3000:])
        self.assertTrue(answer.startswith("fd "), answer)
        return int(answer.split()[1])

    def close(self, puppet, fd):
        self.assertEqual(puppet.ask("close", fd), "ok")


def main():
    why = why_not()
    if why:
        print(f"SKIP SKIP SKIP: nothing of the gate is tested here: {why}")
        print("gate: 0 passed, 0 failed, 1 skipped")
        sys.exit(77)
    module = sys.modules["__main__"]
    tests = unittest.defaultTestLoader.loadTestsFromModule(module)
    if len(sys.argv) > 1:
        tests = unittest.defaultTestLoader.loadTestsFromNames(sys.argv[1:], module)
    outcome = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(tests)
    bad = len(outcome.failures) + len(outcome.errors)
    print(f"gate: {outcome.testsRun - bad - len(outcome.skipped)} passed, {bad} failed, {len(outcome.skipped)} skipped")
    sys.exit(bad > 0)
