"""The stream without sockets: what it says, when, and what comes of it."""

import json

import pytest
import vectors

from leadline_client import (
    Advice,
    Alignment,
    DepthMap,
    Drop,
    FailedFrame,
    LeadlineError,
    Notice,
    Parked,
    Recovered,
)
from leadline_client.protocol import FLAG_DROPPED_BEFORE, KIND_DEPTH, Header, decode_message, encode_message
from leadline_client.roaming import Roaming, backoff, next_attempt
from leadline_client.session import Frame, Session

SAID = {e["name"]: json.loads(e["text"]) for e in vectors.read("control")["client"] if e["outcome"] == "read"}
HEARD = {e["name"]: e["text"] for e in vectors.read("control")["server"]}
JPEG = Frame(b"\xff\xd8\xff\xd9", "jpeg")


def ready(name="ready", **resumed):
    message = json.loads(HEARD[name])
    if resumed:
        message["resumed"] = {**message["resumed"], **resumed}
    return message


def opened(delivery="lossless", **options) -> Session:
    session = Session({"delivery": delivery}, **options)
    session.hello()
    assert session.opened(ready(), 0) == (0, 0)
    return session


def pulled(session) -> list:
    """All that the socket would send: messages, and seq of frames, negative for history."""
    said = []
    while (message := session.next_message()) is not None:
        if isinstance(message, str):
            said.append(json.loads(message))
        else:
            header, _ = decode_message(message)
            said.append(-header.seq if header.flags else header.seq)
    return said


def depth(seq, epoch=1, flags=0) -> bytes:
    return encode_message(Header(KIND_DEPTH, seq, 0, "raw", 1, 1, flags=flags, epoch=epoch), b"\x07")


def outcomes(session) -> list:
    taken = []
    while (outcome := session.take()) is not None:
        taken.append(outcome)
    return taken


def test_it_says_what_the_vectors_have():
    session = Session({"delivery": "lossless"})
    assert json.loads(session.hello()) == SAID["config-first"]
    session.opened(ready(), 0)
    session.reset()
    session.flush()
    session.send(JPEG, 0)
    session.close()
    assert pulled(session) == [SAID["reset"], SAID["flush"], 0, SAID["close"]]
    session.lost()
    assert json.loads(session.hello()) == SAID["config-resume"]
    assert pulled(session) == []


def test_every_eighth_outcome_is_acknowledged_and_others_after_a_quarter_second():
    session = opened()
    for seq in range(9):
        session.send(JPEG, 0)
        session.receive(depth(seq), 1.0)
        session.take()
    said = [m for m in pulled(session) if isinstance(m, dict)]
    assert [m for m in said if m["type"] == "ack"] == [SAID["ack"]]
    assert [m for m in said if m["type"] == "credit"] == [SAID["credit"]] * 9
    assert session.due == 1.25
    session.tick(1.2)
    assert pulled(session) == []
    session.tick(1.25)
    assert pulled(session) == [{"type": "ack", "seq": 8}]
    assert session.due is None


def test_a_resumed_session_sends_again_what_the_server_lacks():
    session = opened()
    for _ in range(3):
        session.send(JPEG, 0)
    session.reset()
    session.send(JPEG, 0)
    assert pulled(session) == [0, 1, 2, SAID["reset"], 3]
    session.receive(depth(0), 0.1)
    session.lost()
    hello = json.loads(session.hello())
    assert (hello["resume"]["epoch"], hello["resume"]["seq"]) == (1, 0)
    assert session.opened(ready("ready-resumed", after=1), 1) == (2, 0)
    assert pulled(session) == [2, SAID["reset"], 3]
    for seq in (1, 2, 3):
        session.receive(depth(seq), 2)
    assert [o.seq for o in outcomes(session)] == [0, 1, 2, 3]


def test_a_reset_that_the_server_heard_is_not_said_again():
    session = opened()
    session.reset()
    session.send(JPEG, 0)
    session.lost()
    session.hello()
    session.opened(ready("ready-resumed", after=0), 1)
    assert pulled(session) == []


def test_an_outcome_that_comes_twice_is_told_once_and_acknowledged_again():
    session = opened(read_ahead=1)
    session.send(JPEG, 0)
    session.receive(depth(0), 0)
    session.lost()
    session.hello()
    session.opened(ready("ready-resumed", after=0), 1)
    session.receive(depth(0), 1)
    session.tick(2)
    assert {"type": "ack", "seq": 0} in pulled(session)
    assert len(outcomes(session)) == 1


def test_the_past_is_replayed_as_history_before_anything_else():
    session = opened()
    for seq in range(8):
        session.send(JPEG, 0)
        session.receive(depth(seq), 0)
    session.send(JPEG, 0)
    session.lost()
    session.hello()
    # Three windows of two frames are kept; the server wants the last four of them.
    message = ready("ready-replay", after=7, replay={"frames": 4, "bytes": 1000})
    assert session.opened(message, 1) == (1, 4)
    assert pulled(session) == [-4, -5, -6, -7, SAID["replayed"], 8]


def test_the_replayed_past_has_no_more_bytes_than_the_server_wants():
    session = opened()
    for seq in range(4):
        session.send(JPEG, 0)
        session.receive(depth(seq), 0)
    session.lost()
    session.hello()
    message = ready("ready-replay", after=3, replay={"frames": 4, "bytes": 2 * 68 + 67})
    assert session.opened(message, 1) == (0, 2)


def test_a_new_epoch_empties_the_ring():
    session = opened()
    session.send(JPEG, 0)
    session.receive(depth(0), 0)
    session.receive(HEARD["reset-cut"], 0)
    session.lost()
    session.hello()
    assert session.opened(ready("ready-replay"), 1) == (0, 0)
    assert pulled(session)[0] == SAID["replayed"]


def test_lossless_has_room_for_what_the_server_takes():
    session = opened()
    for _ in range(4):
        assert session.has_room
        session.send(JPEG, 0)
    assert not session.has_room
    session.receive(depth(0), 0)
    assert session.has_room


def test_latest_sends_the_newest_frame_that_the_socket_did_not_take_yet():
    session = opened("latest")
    for _ in range(3):
        session.send(JPEG, 0)
    assert pulled(session) == [2]
    session.receive(depth(2), 0)
    first, second, third = outcomes(session)
    assert (first, second) == (Drop(0, "superseded", 0), Drop(1, "superseded", 0))
    assert isinstance(third, DepthMap)
    assert third.header.flags & FLAG_DROPPED_BEFORE


def test_latest_sends_a_frame_before_the_command_after_it():
    session = opened("latest")
    session.send(JPEG, 0)
    session.flush()
    session.send(JPEG, 0)
    assert pulled(session) == [0, SAID["flush"], 1]


def test_latest_resumes_with_the_newest_frame_alone():
    session = opened("latest")
    for _ in range(2):
        session.send(JPEG, 0)
        pulled(session)
    session.lost()
    session.send(JPEG, 0)
    session.send(JPEG, 0)
    session.hello()
    assert session.opened(ready("ready-resumed", after=-1), 1) == (1, 0)
    assert pulled(session) == [3]


def test_outcomes_are_told_in_order_whatever_comes_first():
    session = opened("latest")
    session.send(JPEG, 0)
    pulled(session)
    session.send(JPEG, 0)
    session.send(JPEG, 0)
    assert outcomes(session) == []
    session.receive(depth(0), 0)
    assert [o.seq for o in outcomes(session)] == [0, 1]


def test_results_that_nobody_reads_get_no_credit_until_a_flush_needs_them():
    session = opened(read_ahead=1)
    for _ in range(3):
        session.send(JPEG, 0)
    assert pulled(session) == [0, 1, 2]
    session.receive(depth(0), 0)
    assert pulled(session) == []
    session.flush()
    assert pulled(session) == [SAID["credit"] | {"results": 2}, SAID["flush"]]
    session.receive(depth(1), 0)
    session.receive(depth(2), 0)
    session.receive(HEARD["flushed"], 0)
    assert session.flushes == set()


def test_parking_is_told_before_and_after():
    session = opened()
    session.receive(HEARD["notice"], 0)
    session.receive(HEARD["parked"], 0)
    assert list(session.told) == [Notice("idle", 6_606_028, 5000), Parked("idle", 6_606_028)]


def test_a_failed_frame_fails_alone():
    session = opened()
    for _ in range(4):
        session.send(JPEG, 0)
    for seq in range(3):
        session.receive(depth(seq), 0)
    session.receive(HEARD["error-of-a-frame"], 0)
    failed = outcomes(session)[-1]
    assert isinstance(failed, FailedFrame)
    assert (failed.seq, failed.error.code, failed.error.temporary) == (3, "FRAME_EMPTY", False)
    session.send(JPEG, 0)


def test_an_error_without_seq_is_raised_and_fails_what_is_on_its_way():
    session = opened()
    session.send(JPEG, 0)
    with pytest.raises(LeadlineError) as caught:
        session.receive(HEARD["error"], 0)
    assert (caught.value.code, caught.value.temporary, caught.value.retry_after_ms) == ("NO_CAPACITY", True, 2000)
    session.end(caught.value, 0)
    (failed,) = outcomes(session)
    assert failed.error is caught.value
    with pytest.raises(LeadlineError, match="NO_CAPACITY"):
        session.send(JPEG, 0)


def test_after_the_last_outcome_of_a_closed_stream_it_acknowledges_at_once():
    session = opened()
    session.send(JPEG, 0)
    session.close()
    pulled(session)
    session.receive(depth(0), 0)
    assert pulled(session) == [{"type": "ack", "seq": 0}]
    session.receive(HEARD["summary"], 2)
    assert (session.ended, session.error) == (True, None)
    assert (session.summary(2).frames, session.summary(2).results) == (1, 1)
    assert [o.seq for o in outcomes(session)] == [0]


def test_a_session_that_is_unknown_after_close_was_freed_as_asked():
    session = opened()
    session.close()
    session.end(LeadlineError("SESSION_UNKNOWN", "gone"), 1)
    assert session.error is None


def test_a_frame_that_the_server_would_cut_off_is_refused_here():
    session = opened()
    with pytest.raises(LeadlineError, match="at most 1000") as caught:
        session.send(Frame(bytes(937), "jpeg"), 0)
    assert caught.value.code == "FRAME_TOO_LARGE"
    session.send(Frame(bytes(936), "jpeg"), 0)


def test_backoff_has_full_jitter_a_cap_and_what_the_server_asks_for():
    assert backoff(3, 0) == 0
    assert backoff(3, 0.5) == pytest.approx(0.4)
    assert backoff(10_000, 1) == 5
    assert backoff(0, 0.5, 2000) == 2


def test_attempts_end_with_the_grace_and_with_what_is_not_temporary():
    lost = LeadlineError("CONNECTION_LOST", "")
    assert next_attempt(lost, 20, now=9, until=10, chance=0.9) == 1
    assert next_attempt(lost, 1, now=10, until=10, chance=0) is None
    assert next_attempt(LeadlineError("SESSION_UNKNOWN", ""), 1, now=0, until=10, chance=0) is None
    busy = LeadlineError("NO_CAPACITY", "", retry_after_ms=3000)
    assert next_attempt(busy, 1, now=0, until=10, chance=0) == 3
    assert next_attempt(busy, 1, now=8, until=10, chance=0) is None


def test_sockets_that_bring_nothing_are_tried_for_one_grace_in_all():
    roaming = Roaming()
    lost = LeadlineError("CONNECTION_LOST", "")
    assert not roaming.outlives(lost)
    roaming.grace = 10
    assert roaming.outlives(lost)
    assert roaming.lost(lost, 100, 0).until == 110
    assert roaming.lost(lost, 105, 0).until == 110
    assert roaming.lost(lost, 110, 0) is None
    roaming.heard()
    assert roaming.lost(lost, 111, 0).until == 121


def test_a_session_that_another_took_is_over_unless_it_was_our_own_move():
    roaming = Roaming()
    roaming.grace = 10
    replaced = LeadlineError("SESSION_REPLACED", "")
    assert not roaming.outlives(replaced)
    roaming.is_moving = True
    assert roaming.outlives(replaced)
    assert roaming.leaving(8, 0, 0) is None


def test_what_differs_after_a_recovery_is_told():
    session = opened()
    told = {"type": "recovered", "epoch": 2, "seq": 41, "continuity": "rebuilt"}
    session.receive(json.dumps(told), 0)
    session.receive(json.dumps({**told, "alignment": {"scale": 1.02, "offset": -0.01, "residual": 0.004}}), 0)
    assert list(session.told) == [
        Recovered("rebuilt", 2, 41, None),
        Recovered("rebuilt", 2, 41, Alignment(1.02, -0.01, 0.004)),
    ]


def test_advice_is_told_and_kept_to_by_leaving_frames_out():
    session = opened("adaptive")
    session.receive('{"type":"advice","fps":8,"unsettled":2}', 0)
    assert list(session.told) == [Advice(8, 2)]
    sent = []
    for number in range(32):
        session.send(JPEG, number / 64)
        sent += [said for said in pulled(session) if isinstance(said, int)]
    assert sent == [0, 8, 16, 24]
    session.receive('{"type":"advice","fps":null,"unsettled":1}', 1)
    session.send(JPEG, 31 / 64)
    assert 32 in pulled(session)
    for seq in (*sent, 32):
        session.receive(depth(seq), 1)
    assert [type(outcome) for outcome in outcomes(session)].count(Drop) == 28
