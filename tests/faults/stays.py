"""A program for the supervisor's tests: leaves its mark, starts a child like itself, and stays."""

import signal
import subprocess
import sys
from pathlib import Path

mark, generations = Path(sys.argv[1]), int(sys.argv[2])
if "stubborn" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if generations > 1:
    subprocess.Popen([sys.executable, __file__, str(mark), str(generations - 1), *sys.argv[3:]])
with mark.open("a") as file:
    file.write("here\n")
signal.pause()
