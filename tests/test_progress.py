"""The pace of long loops: who hears of it, and what it says."""

from __future__ import annotations

import pytest

from cafsc import _progress
from cafsc._progress import Pace, duration, listening, tracked


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[Pace]:
    """What a listener hears while every look at the clock is two seconds after the one before."""
    clock = iter(range(0, 1000, 2))
    monkeypatch.setattr(_progress, "monotonic", lambda: float(next(clock)))
    return []


def test_without_a_listener_nothing_is_wrapped() -> None:
    blocks = iter([1, 2])
    assert tracked(blocks, "score", 2) is blocks


def test_a_listener_hears_every_block_and_the_end(heard: list[Pace]) -> None:
    with listening(heard.append):
        assert list(tracked([10, 20], "score", 30, n_in=int)) == [10, 20]
    assert [(pace.done, pace.seconds, pace.ended) for pace in heard] == [
        (10, 2.0, False),
        (30, 4.0, False),
        (30, 6.0, True),
    ]
    assert list(tracked([1], "score", 1)) == [1]
    assert len(heard) == 3, "whoever has stopped listening hears nothing"


def test_the_end_is_heard_after_an_error_too(heard: list[Pace]) -> None:
    def broken() -> None:
        for block in tracked([1, 2], "score", 2):
            if block == 2:
                raise ValueError

    with listening(heard.append), pytest.raises(ValueError):
        broken()
    assert [(pace.done, pace.ended) for pace in heard] == [(1, False), (1, True)]


def test_pace_says_rate_and_time_left() -> None:
    pace = Pace("score", 2_000, 10_000, "cells", 10.0)
    assert pace.rate == 200
    assert pace.seconds_left == 40
    assert str(pace) == "score: 2,000 of 10,000 cells, 200 cells/s, 40 s left"


def test_pace_without_a_total_has_no_time_left() -> None:
    assert str(Pace("read", 3, 0, "blocks", 2.0)) == "read: 3 blocks, 1.5 blocks/s"
    assert Pace("read", 0, 5, "blocks", 0.0).seconds_left is None


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (99.4, "99 s"), (99.6, "2 min"), (3_000, "50 min"), (12_000, "3 h 20 min")],
)
def test_durations_in_words(seconds: float, words: str) -> None:
    assert duration(seconds) == words
