"""Make the film of the examples: one minute in three renditions, as HLS, as DASH and as one file.

`python make_media.py FOLDER` needs nothing but Python and ffmpeg. HLS and DASH share their segments
(CMAF). The folder is complete or not there: it is made beside its place and moved to it at the end.
A folder that is already there, made by the same settings, is left as it is.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

SECONDS = 60
SEGMENT_S = 2
FPS = 25
LADDER = ((426, 240, 250), (640, 360, 750), (960, 540, 2000))
"""Width, height, bitrate in kbit/s: each about three times the one below."""
AUDIO_KBPS = 64
MARK = "made.json"
VERSION = 3
"""Raised when the film changes in another way than by the settings above."""
INSTALL = (
    "ffmpeg is not on the PATH. On Debian: apt-get install ffmpeg; on macOS: brew install ffmpeg"
)
GENTLE = 15
"""How far the making stands back for other programs, where it is asked to (`nice`)."""


def settings(seconds: int) -> dict[str, object]:
    """Return what a film is made by."""
    ladder = [list(row) for row in LADDER]
    rates = {"segment_s": SEGMENT_S, "fps": FPS, "audio_kbps": AUDIO_KBPS}
    return {"version": VERSION, "seconds": seconds, "ladder": ladder, **rates}


def is_made(folder: Path, seconds: int = SECONDS) -> bool:
    """Say whether the film lies in `folder`, made by the settings of today."""
    try:
        made = json.loads((folder / MARK).read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return bool(made == settings(seconds))


def sources(seconds: int) -> list[str]:
    """Return a moving picture that names its own time, and a tone that beeps every second."""
    width, height, _ = LADDER[-1]
    picture = f"testsrc2=size={width}x{height}:rate={FPS}:duration={seconds}"
    # A little shorter: the coder adds some, and a last segment of it alone is never played out.
    tone = f"sine=frequency=220:beep_factor=4:sample_rate=48000:duration={seconds - 0.1}"
    return ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", tone]


def streams() -> list[str]:
    """Return the encoders: equal key frames everywhere, so that any rendition may follow any."""
    split = f"[0:v]format=yuv420p,split={len(LADDER)}" + "".join(
        f"[i{n}]" for n in range(len(LADDER))
    )
    scaled = [
        f"[i{n}]scale={w}:{h}:flags=fast_bilinear[v{n}]" for n, (w, h, _) in enumerate(LADDER)
    ]
    words = ["-filter_complex", ";".join([split, *scaled])]
    for number, (_, _, kbps) in enumerate(LADDER):
        rate = {"b": kbps, "maxrate": kbps * 11 // 10, "bufsize": kbps * 2}
        words += ["-map", f"[v{number}]"]
        words += [
            word for name, value in rate.items() for word in (f"-{name}:v:{number}", f"{value}k")
        ]
    words += ["-map", "1:a", "-c:a", "aac", "-b:a", f"{AUDIO_KBPS}k", "-ac", "2"]
    gop = str(SEGMENT_S * FPS)
    return [
        *words, "-c:v", "libx264", "-preset", "ultrafast", "-profile:v", "baseline",
        "-g", gop, "-keyint_min", gop, "-sc_threshold", "0",
    ]  # fmt: skip


def run(arguments: list[str]) -> None:
    """Call ffmpeg; what it says is shown only when it fails."""
    command = ["ffmpeg", "-hide_banner", "-loglevel", "error", "-nostdin", "-y", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 (no words of others)
    if done.returncode:
        raise SystemExit(f"ffmpeg could not make the film: {done.stderr.strip()[-2000:]}")


def encode(folder: Path, seconds: int) -> None:
    """Make segments, playlists and manifest, then one file of the middle rendition."""
    layout = [
        "-f", "dash", "-seg_duration", str(SEGMENT_S), "-use_template", "1", "-use_timeline", "0",
        "-init_seg_name", "init_$RepresentationID$.mp4", "-media_seg_name", "$RepresentationID$_$Number%03d$.m4s",
        "-adaptation_sets", "id=0,streams=v id=1,streams=a",
        "-hls_playlist", "1", "-hls_master_name", "film.m3u8",
    ]  # fmt: skip
    run([*sources(seconds), *streams(), *layout, str(folder / "film.mpd")])
    parts = [folder / f"init_{stream}.mp4" for stream in (1, len(LADDER))]
    inputs = []
    for part, stream in zip(parts, (1, len(LADDER)), strict=True):
        segments = "|".join(str(path) for path in [part, *sorted(folder.glob(f"{stream}_*.m4s"))])
        inputs += ["-i", f"concat:{segments}"]
    run(
        [
            *inputs,
            "-map",
            "0:v",
            "-map",
            "1:a",
            "-c",
            "copy",
            "-movflags",
            "+faststart",
            str(folder / "film.mp4"),
        ]
    )


def tidy(folder: Path) -> None:
    """Take from the playlists the hour of making, and say that they are complete."""
    for path in folder.glob("media_*.m3u8"):
        lines = path.read_text("utf-8").splitlines()
        kept = [line for line in lines if not line.startswith("#EXT-X-PROGRAM-DATE-TIME")]
        kept.insert(2, "#EXT-X-PLAYLIST-TYPE:VOD")
        path.write_text("\n".join(kept) + "\n", "utf-8")


def make(folder: Path, seconds: int = SECONDS) -> None:
    """Make the film in `folder`, whole or not at all."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        encode(draft, seconds)
        tidy(draft)
        (draft / MARK).write_text(json.dumps(settings(seconds)), "utf-8")
        draft.chmod(0o755)
        shutil.rmtree(folder, ignore_errors=True)
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Make the film of the examples.")
    parser.add_argument(
        "folder", type=Path, help="where to; made, or replaced when it is of old settings"
    )
    parser.add_argument("--seconds", type=int, default=SECONDS, help="how long the film is")
    parser.add_argument("--gently", action="store_true", help="stand back for other programs")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the draft is cleared away
    if given.gently:
        os.nice(GENTLE)
    if is_made(given.folder, given.seconds):
        return
    if shutil.which("ffmpeg") is None:
        raise SystemExit(INSTALL)
    make(given.folder, given.seconds)


if __name__ == "__main__":
    sys.exit(main())
