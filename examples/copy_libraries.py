"""Copy what the example pages load of each player, with its licence, to `lib` beside them.

Run after `npm ci` in `player`; `make player` does. The versions are those of `player/package.json`.
"""

import json
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).parent
MODULES = HERE.parent / "player" / "node_modules"
LIBRARIES = {
    "hls.js": {"dist/hls.min.js": "hls.min.js", "LICENSE": "LICENSE.txt"},
    "dashjs": {
        "dist/modern/umd/dash.all.min.js": "dash.all.min.js",
        "dist/modern/umd/dash.all.min.js.LICENSE.txt": "dash.all.min.js.LICENSE.txt",
        "LICENSE.md": "LICENSE.txt",
    },
    "shaka-player": {
        "dist/shaka-player.compiled.js": "shaka-player.compiled.js",
        "LICENSE": "LICENSE.txt",
    },
    "video.js": {
        "dist/video.min.js": "video.min.js",
        "dist/video-js.min.css": "video-js.min.css",
        "LICENSE": "LICENSE.txt",
    },
}


def copy(out: Path) -> None:
    """Copy all of it to `out`, which is made anew."""
    draft = out.with_name(f".{out.name}")
    shutil.rmtree(draft, ignore_errors=True)
    versions = {}
    for library, files in LIBRARIES.items():
        for source, name in files.items():
            target = draft / library / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(MODULES / library / source, target)
        package = json.loads((MODULES / library / "package.json").read_text("utf-8"))
        versions[library] = package["version"]
    (draft / "versions.json").write_text(json.dumps(versions, indent=2) + "\n", "utf-8")
    shutil.rmtree(out, ignore_errors=True)
    draft.rename(out)


if __name__ == "__main__":
    if not MODULES.is_dir():
        sys.exit(f"{MODULES} is not there; make player installs it.")
    copy(HERE / "lib")
