"""The client under test: the one installed beside these tests, always in a process of its own."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from pathlib import Path

from .waiting import eventually

PRELUDE = """\
import json, os, modal

def answer(value):
    with open(os.environ["ANSWER"], "w") as file:
        json.dump(value, file)

"""


class Client:
    """Runs the client's command line and scripts that use its library, in a folder of their own."""

    def __init__(self, variables, folder):
        self.folder = Path(folder)
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("MODAL_")}
        self.environment = {
            **inherited,
            **variables,
            "MODAL_CONFIG_PATH": str(self.folder / "modal.toml"),
            "PYTHONUNBUFFERED": "1",
            "COLUMNS": "300",
        }

    def modal(self, *arguments, within=60, succeeds=True, **environment):
        """Runs a command to its end."""
        finished = self.start_modal(*arguments, **environment).finish(within)
        if succeeds:
            assert finished.status == 0, finished
        return finished

    def start_modal(self, *arguments, **environment):
        return self._start("-m", "modal", *map(str, arguments), **environment)

    def sdk(self, source, within=60, **environment):
        """Runs a script that uses the library; gives what it handed to answer(), or None."""
        running = self.start_sdk(source, **environment)
        finished = running.finish(within)
        assert finished.status == 0, finished
        return running.answer()

    def start_sdk(self, source, **environment):
        file, script = tempfile.mkstemp(suffix=".py", dir=self.folder)
        os.close(file)
        Path(script).write_text(PRELUDE + textwrap.dedent(source))
        answer = script.removesuffix(".py") + ".json"
        running = self._start(script, ANSWER=answer, **environment)
        running.answer_file = Path(answer)
        return running

    def _start(self, *arguments, **environment):
        return Running([sys.executable, *arguments], self.folder, {**self.environment, **environment})


class Line:
    def __init__(self, stream, text):
        self.at = time.monotonic()
        self.stream = stream
        self.text = text


class Running:
    """A process whose output is kept line by line, with the time at which each came."""

    def __init__(self, command, folder, environment):
        self.command = " ".join(Path(word).name for word in command)
        self.answer_file = None
        self.lines = []
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self.readers = [
            threading.Thread(target=self._read, args=(name, getattr(self.process, name)), daemon=True)
            for name in ("stdout", "stderr")
        ]
        for reader in self.readers:
            reader.start()

    def _read(self, name, stream):
        for text in stream:
            self.lines.append(Line(name, text.rstrip("\n")))

    def wait_for_line(self, pattern, within=30):
        """The match of the first line that has the pattern."""

        def match():
            matches = (re.search(pattern, line.text) for line in list(self.lines))
            found = next((match for match in matches if match), None)
            assert found or self.process.poll() is None or any(r.is_alive() for r in self.readers), (
                f"{self.command} ended without a line of {pattern!r}\n{self.output}"
            )
            return found

        try:
            return eventually(match, within, f"a line of {pattern!r}")
        except AssertionError as failure:
            raise AssertionError(f"{failure}\n{self.output}") from None

    def interrupt(self):
        """Ctrl-C."""
        self.process.send_signal(signal.SIGINT)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def finish(self, within=60):
        """Waits for its end."""
        try:
            self.process.wait(within)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(
                f"{self.command} did not end within {within} s:\n{self.output}"
            ) from None
        for reader in self.readers:
            reader.join(5)
        return Finished(self.command, self.process.returncode, list(self.lines))

    @property
    def output(self):
        return "\n".join(line.text for line in list(self.lines))

    def answer(self):
        return json.loads(self.answer_file.read_text()) if self.answer_file.exists() else None


class Finished:
    """How a process ended, and what it printed."""

    def __init__(self, command, status, lines):
        self.command = command
        self.status = status
        self.lines = lines

    @property
    def output(self):
        """Both streams, as they came."""
        return "\n".join(line.text for line in self.lines)

    @property
    def stdout(self):
        return "\n".join(line.text for line in self.lines if line.stream == "stdout")

    @property
    def json(self):
        return json.loads(self.stdout)

    def __repr__(self):
        return f"{self.command}: status {self.status}\n{self.output}"
