"""The Python in the documents of the project runs as it stands there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def snippets(document: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (ROOT / document).read_text(encoding="utf-8"), re.DOTALL)


def printed_by(code: str, server: str, folder: Path) -> list[str]:
    """What a program prints, in a folder of its own, with the address of this server for that of the documents."""
    env = {**os.environ, "PYTHONPATH": str(ROOT / "clients" / "python")}
    code = code.replace("127.0.0.1:8042", server)
    command = [sys.executable, "-c", code]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=env, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.splitlines()


def test_the_client_of_the_protocol_is_short_and_gets_its_depth(server, tmp_path):
    (code,) = snippets("PROTOCOL.md")
    assert len([line for line in code.splitlines() if line.strip()]) <= 25
    lines = printed_by(code, server, tmp_path)
    assert '"ready"' in lines[0]
    assert [bool(re.match(rf"frame {seq}: inverse depth [\d.]+", lines[1 + seq])) for seq in range(3)] == [True] * 3
    assert '"summary"' in lines[4] and '"results":3' in lines[4]


@pytest.mark.parametrize("document", ["docs/streaming.md", "docs/clips.md", "clients/python/README.md"])
def test_what_a_guide_shows_runs(document, server, tmp_path):
    for code in snippets(document):
        (tmp_path / "photo.jpg").write_bytes(made_by_ffmpeg(tmp_path / "made.jpg"))
        (tmp_path / "walk.mp4").write_bytes(made_by_ffmpeg(tmp_path / "made.mp4"))
        assert printed_by(code, server, tmp_path)


def made_by_ffmpeg(out: Path) -> bytes:
    source = ["-f", "lavfi", "-i", "testsrc2=size=64x48", "-frames:v", "1" if out.suffix == ".jpg" else "3"]
    subprocess.run(["ffmpeg", "-v", "error", "-y", *source, out], check=True)
    return out.read_bytes()
