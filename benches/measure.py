"""What `benches/check` and `benches/compare` have in common: files to measure with, and the measuring of one run."""

import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORDS = (
    "a the of on in with and under beside red green small old wooden window street harbour woman man child dog cat "
    "bicycle mountain river morning light photograph poster crowd hands smiling holding standing table flowers snow"
).split()


def fail(why):
    sys.exit(f"{Path(sys.argv[0]).name}: {why}")


def need(program, package):
    """The path of a program, which is installed where that can be done without asking."""
    if path := shutil.which(program):
        return path
    if not shutil.which("apt-get") or os.geteuid() != 0:
        fail(f"there is no {program}: install the package {package} with your package manager")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update"], ["install", "--yes", "--no-install-recommends", package]):
        if subprocess.run(["apt-get", "-qq", *words], env=environment, stdout=sys.stderr, check=False).returncode:
            fail(f"apt-get {words[0]} failed: install {package} yourself")
    return shutil.which(program) or fail(f"the package {package} brought no {program}")


def build():
    """The folder of a release build."""
    words = ["cargo", "build", "--release", "--locked", "--quiet", "--bin", "altfill", "--example", "at-once"]
    if subprocess.run(words, cwd=ROOT, stdout=sys.stderr, check=False).returncode:
        fail("the release build failed")
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return ROOT / target / "release"


def alt_text(chance):
    """60 to 140 characters, with the commas and quotes that make a cell be quoted."""
    length = chance.randint(60, 140)
    text = chance.choice(WORDS).capitalize()
    while len(text) < length:
        joint = chance.choice((" ", " ", " ", " ", " ", ", "))
        word = chance.choice(WORDS)
        text += joint + (f'"{word}"' if chance.random() < 0.01 else word)
    return text[: length - 1].rstrip(' ,"').ljust(length - 1, "x") + "."


def write(path, rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write("media_id,alt_text\n")
        for media_id, text in rows:
            if "," in text or '"' in text:
                text = '"' + text.replace('"', '""') + '"'
            file.write(f"{media_id},{text}\n")


def make(folder, count):
    """Both files of one seed; the ids are of 2018 to 2024, 19 digits each, and none looks rounded."""
    chance = random.Random(1)
    step = 900_000_000_000_000_000 // count
    rows = []
    for row in range(count):
        media_id = 1_000_000_000_000_000_000 + row * step + chance.randrange(1, step)
        rows.append((media_id + (media_id % 10 == 0), alt_text(chance)))
    write(folder / "sorted.csv", rows)
    chance.shuffle(rows)
    write(folder / "shuffled.csv", rows)


def measure(words, log, stdin=""):
    """Wall time in seconds and peak memory in MiB of one run; what it says goes into `log`."""
    peak = log.with_suffix(".peak")
    # By GNU time: to Linux a child has had the memory of who forked it, and Python is larger than what is measured.
    words = [need("time", "time"), "--format=%M", f"--output={peak}", *words]
    with log.open("wb") as told:
        begun = time.perf_counter()
        code = subprocess.run(words, input=stdin.encode(), stdout=told, stderr=subprocess.STDOUT, check=False).returncode
        wall = time.perf_counter() - begun
    if code:
        print(log.read_text(errors="replace")[-2000:], file=sys.stderr)
        fail(f"{' '.join(words[3:5])} ended with {code}")
    return wall, int(peak.read_text()) / 1024


def import_csv(path, folder, count):
    database = folder / "import.db"
    result = measure(
        ["sqlite3", "-batch", "-bail", str(database)],
        folder / "import.log",
        "CREATE TABLE items (media_id TEXT PRIMARY KEY, alt_text TEXT);\n"
        f'.import --csv --skip 1 "{path}" items\n'
        "SELECT count(*) FROM items;\n",
    )
    told = (folder / "import.log").read_text().split()
    if told != [str(count)]:
        fail(f"sqlite3 imported {' '.join(told)} of {count} rows")
    for file in folder.glob("import.db*"):
        file.unlink()
    return result
