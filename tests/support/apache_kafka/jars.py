"""Where the jars come from: a cache outside the tree, filled once by Maven."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

VERSION = "4.1.0"
JAVA = 17
_DOWNLOAD_S = 600
_POM = Path(__file__).with_name("pom.xml")


class UnavailableError(Exception):
    """Apache Kafka cannot be had here; the message is the reason."""


def cache() -> Path:
    """The directory of the jars, there or not."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "csm" / f"kafka-{VERSION}"


def describe() -> str:
    """In a few words how the jars will be had; UnavailableError when they cannot."""
    _require_java()
    if cache().is_dir():
        return f"{VERSION} from {cache()}"
    if shutil.which("mvn") is None:
        raise UnavailableError(f"Maven is not installed, and {cache()} is empty")
    return f"{VERSION}, which Maven downloads first (43 MB)"


def jars() -> Path:
    """The directory of the jars, downloaded when they are not there yet; UnavailableError when they cannot be had."""
    describe()
    if not cache().is_dir():
        _download(cache())
    return cache()


def _require_java() -> None:
    if shutil.which("java") is None:
        raise UnavailableError(f"Java {JAVA} or newer is not installed")
    answer = subprocess.run(["java", "-version"], check=False, capture_output=True, text=True).stderr
    found = re.search(r'version "(\d+)', answer)
    if found is None or int(found[1]) < JAVA:
        raise UnavailableError(
            f"Java {JAVA} or newer is needed, this is {answer.splitlines()[0] if answer else 'none'}"
        )


def _download(target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    # Renamed when complete, so that a directory half full is never taken for a whole one.
    draft = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
    command = ["mvn", "--quiet", "--batch-mode", "--file", str(_POM), f"-Dkafka.version={VERSION}"]
    command += ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={draft}"]
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=_DOWNLOAD_S)
        if done.returncode != 0:
            errors = [line for line in done.stdout.splitlines() if "ERROR" in line]
            raise UnavailableError(f"Maven could not download it: {' '.join(errors[:1]) or done.stderr}")
        if not target.is_dir():  # another session may have been faster
            draft.rename(target)
    except subprocess.TimeoutExpired:
        raise UnavailableError(f"Maven did not download it within {_DOWNLOAD_S} s") from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)
