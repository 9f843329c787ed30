"""Ctrl-C and Ctrl-Z of a terminal, as a shell and its programs get them."""
import os
import shlex
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Makes standard input the terminal of a session of its own.
OWN_TERMINAL = ('import fcntl, os, sys, termios\n'
                'fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n'
                'os.execv(sys.argv[1], sys.argv[1:])\n')
# What mim does: see subprocess.call about a quarter of a second.
CALLER = ('import subprocess, sys\n'
          'sys.exit(subprocess.check_call(sys.argv[1:]))\n')
# What predict does, with an end that takes longer.
CALLED = ('import pathlib, sys, time\n'
          'sys.path[:0] = sys.argv[1:3]\n'
          'from predict import Signals\n'
          'signals = Signals()\n'
          'print("started", flush=True)\n'
          'while not signals.status:\n'
          '    time.sleep(0.01)\n'
          'time.sleep(1)\n'
          'signals.restore()\n'
          'pathlib.Path(sys.argv[3]).write_text(str(signals.status))\n'
          'sys.exit(signals.status)\n')


class OnATerminal:
    """A command on a pseudo terminal; what it says is read at once."""

    def __init__(self, command):
        pty = pytest.importorskip('pty')
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, '-c', OWN_TERMINAL, *map(str, command)],
            stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
            env=dict(os.environ, OMP_NUM_THREADS='1', TERM='dumb'))
        os.close(slave)
        self.said = ''
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        try:
            while data := os.read(self.master, 4096):
                self.said += data.decode(errors='replace')
        except OSError:  # nobody writes any more
            pass

    def wait_for(self, happened):
        end = time.monotonic() + 600
        while not happened() and time.monotonic() < end:
            assert self.process.poll() is None, self.said
            time.sleep(0.05)

    def type(self, key):
        os.write(self.master, key)

    def wait(self):
        self.process.wait(timeout=600)
        self.thread.join(10)
        os.close(self.master)


def test_ctrl_c_leaves_time_to_finish(tmp_path):
    """Whoever called by ``subprocess`` kills a quarter of a second later."""
    done = tmp_path / 'done'
    run = OnATerminal([
        sys.executable, '-c', CALLER, sys.executable, '-c', CALLED,
        ROOT / 'tools', ROOT, done])
    run.wait_for(lambda: 'started' in run.said)
    run.type(b'\x03')
    run.wait()
    assert done.read_text() == '130', run.said
    assert run.process.returncode == 1  # as of any command that fails


def test_ctrl_z_stops_all_and_the_shell_goes_on_with_all(tmp_path):
    """Stopped together, brought back by fg, then ended by Ctrl-C."""
    shell = shutil.which('bash')
    if shell is None:
        pytest.skip('there is no bash')
    done = tmp_path / 'done'
    run = OnATerminal([shell, '--norc', '--noediting', '-i'])
    (tmp_path / 'run.sh').write_text(shlex.join(map(str, [
        sys.executable, '-c', CALLER, sys.executable, '-c', CALLED,
        ROOT / 'tools', ROOT, done])))
    run.type(f'sh {tmp_path}/run.sh\n'.encode())
    run.wait_for(lambda: 'started' in run.said)
    run.type(b'\x1a')
    run.wait_for(lambda: 'Stopped' in run.said)
    run.type(b'fg\n')
    run.wait_for(lambda: 'Stopped' in run.said and run.said.rstrip()
                 .endswith('run.sh'))
    time.sleep(1)
    run.type(b'\x03')
    run.wait_for(done.exists)
    run.type(b'exit\n')
    run.wait()
    assert done.read_text() == '130', run.said
