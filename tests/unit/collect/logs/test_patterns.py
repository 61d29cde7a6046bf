import pytest

from playhead.collect.logs.patterns import Parts, Patterns
from playhead.errors import ConfigInvalid


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("/auso/slices/56d/ow/vid/FP_F000007A3.ts", Parts("ow", "vid", "FP", "F000007A3")),
        ("/slices/630/ow/vid/F00000158.m4f", Parts("ow", "vid", "F", "00000158")),
        ("/slices/630/ow/vid/check.m3u8", Parts("ow", "vid", "", "check")),
        ("/ausw/slices/static/static.vtt", Parts()),
        ("/live/ch1/1080p/901.m4s", Parts("", "ch1", "1080p", "901")),
        ("/a/b/c/d.min.mp4", Parts("", "b", "c", "d.min")),
        ("/m/master.m3u8", Parts("", "m", "", "master")),
        ("/a/m/manifest.mpd", Parts("", "m", "", "manifest")),
        ("/player/app.js", Parts()),
        ("/movie.mp4", Parts()),
        ("/", Parts()),
        ("", Parts()),
    ],
)
def test_built_in(path: str, parts: Parts) -> None:
    assert Patterns().parts(path) == parts


def test_the_first_own_pattern_that_fits_wins() -> None:
    own = Patterns([r"/x/(?P<video_id>\w+)", r"/(?P<owner>\w+)/(?P<video_id>\w+)"])
    assert own.parts("/x/y/z.ts") == Parts(video_id="y")
    assert own.parts("/o/y/z.ts") == Parts(owner="o", video_id="y")


def test_where_no_own_pattern_fits_the_built_in_count() -> None:
    assert Patterns([r"^/only(?P<owner>!)"]).parts("/v/r/s.ts") == Parts("", "v", "r", "s")


@pytest.mark.parametrize("pattern", ["(", "(?P<other>a)", "no group"])
def test_a_pattern_that_is_none_ends_the_start(pattern: str) -> None:
    with pytest.raises(ConfigInvalid, match="log_path_patterns"):
        Patterns([pattern])
