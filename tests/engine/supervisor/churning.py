"""Makes names that nobody made before until standard input says so, tells how many, and ends when told."""

import os
import select
import sys
import time

directory, pause = sys.argv[1], float(sys.argv[2])
os.chdir(directory)
print("running", flush=True)
count = 0
while not select.select([0], [], [], 0)[0]:
    os.symlink("nowhere", f"link{count}")
    os.unlink(f"link{count}")
    count += 1
    time.sleep(pause)
os.read(0, 100)
print(count, flush=True)
os.read(0, 100)
