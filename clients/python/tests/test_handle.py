"""Sessions that one stream leaves and another takes up: what is said, when, and what comes of it."""

import json

import pytest
from test_session import HEARD, JPEG, SAID, depth, opened, outcomes, pulled, ready

from leadline_client import Drop, LeadlineError, StreamHandle, TakenUp, connect, connect_async
from leadline_client.session import Session

DETACHED = HEARD["detached"]


def kept(seq=1, delivery="lossless") -> StreamHandle:
    return StreamHandle("s_1", "t0", 1, seq, delivery)


def taken_up(handle, name="ready-resumed", **resumed) -> Session:
    session = Session({}, resume=handle)
    session.hello()
    session.opened(ready(name, **{"seq": -1, **resumed}), 5)
    return session


def refusal(call) -> str:
    with pytest.raises(LeadlineError) as caught:
        call()
    assert caught.value.code == "REQUEST_INVALID"
    return caught.value.detail


def test_a_handle_is_kept_as_json_and_shows_no_token():
    handle = opened().handle
    assert (handle.epoch, handle.seq, handle.delivery) == (0, -1, "lossless")
    assert StreamHandle.from_dict(json.loads(json.dumps(handle.to_dict()))) == handle
    assert handle.token not in repr(handle)
    assert set(handle.to_dict()) == {"session", "token", "epoch", "seq", "delivery"}


@pytest.mark.parametrize("name", ["session", "token", "epoch", "seq", "delivery"])
def test_a_damaged_handle_is_refused_by_the_name_of_what_is_wrong(name):
    detail = refusal(lambda: StreamHandle.from_dict({**kept().to_dict(), name: None}))
    assert f'"{name}"' in detail
    assert "t0" not in refusal(lambda: StreamHandle.from_dict({**kept().to_dict(), "epoch": "t0"}))
    assert "latest" in refusal(lambda: StreamHandle.from_dict({**kept().to_dict(), "delivery": "soon"}))


def test_a_handle_follows_the_position_and_the_token():
    session = opened()
    session.send(JPEG, 0)
    session.receive(depth(0, epoch=3), 0)
    first = session.handle
    assert (first.epoch, first.seq) == (3, 0)
    session.lost()
    session.hello()
    message = ready("ready-resumed", after=0)
    session.opened({**message, "resumeToken": "t9"}, 1)
    assert (session.handle.token, session.handle.seq) == ("t9", 0)


def test_detach_is_said_behind_what_was_sent_and_nothing_goes_after_it():
    session = opened()
    session.send(JPEG, 0)
    session.detach()
    session.detach()
    assert pulled(session) == [0, {"type": "detach"}]
    assert "detached" in refusal(session.flush)
    assert "detached" in refusal(session.checkpoint)
    assert "detached" in refusal(lambda: session.update({}))
    refusal(lambda: session.send(JPEG, 0))
    session.reset()
    session.close()
    assert pulled(session) == []


def test_with_latest_the_frame_that_waits_goes_before_detach():
    session = opened("latest")
    session.send(JPEG, 0)
    session.send(JPEG, 0)
    session.detach()
    assert pulled(session) == [1, {"type": "detach"}]


def test_detach_is_said_again_over_another_socket():
    session = opened()
    session.send(JPEG, 0)
    session.send(JPEG, 0)
    session.detach()
    pulled(session)
    session.lost()
    session.hello()
    session.opened(ready("ready-resumed", after=0), 1)
    assert pulled(session) == [1, {"type": "detach"}]
    session.receive(DETACHED, 2)
    assert session.left


def test_what_was_received_stays_and_the_rest_has_its_outcome_elsewhere():
    session = opened()
    for _ in range(3):
        session.send(JPEG, 0)
    session.receive(depth(0), 0)
    session.detach()
    session.receive(depth(1), 0)
    session.receive(DETACHED, 1)
    assert [outcome.seq for outcome in outcomes(session)] == [0, 1]
    assert (session.ended, session.error, session.unsettled) == (True, None, 0)
    assert (session.handle.seq, session.summary(1).frames) == (1, 2)


def test_a_drop_made_here_is_told_although_a_frame_before_it_has_no_outcome():
    session = opened("latest")
    session.send(JPEG, 0)
    pulled(session)
    session.send(JPEG, 0)
    session.send(JPEG, 0)
    session.detach()
    session.receive(DETACHED, 1)
    assert outcomes(session) == [Drop(1, "superseded", 0)]


def test_what_waits_for_an_answer_fails_when_the_stream_is_detached():
    session = opened()
    flush, saved = session.flush(), session.checkpoint()
    session.detach()
    assert not session.is_answered(flush)
    session.receive(DETACHED, 0)
    with pytest.raises(LeadlineError, match="detached before"):
        session.is_answered(flush)
    assert "detached before" in session.answer(saved).detail


def test_a_session_that_is_not_kept_cannot_be_detached():
    session = Session({}, resumable=False)
    session.hello()
    message = ready()
    session.opened({**message, "limits": {**message["limits"], "graceMs": 0}}, 0)
    assert "close it instead" in refusal(session.detach)
    assert session.is_open


def test_a_closed_stream_cannot_be_detached():
    session = opened()
    session.close()
    assert "closed" in refusal(session.detach)


def test_a_detach_that_finds_no_session_any_more_fails():
    session = opened()
    session.detach()
    session.end(LeadlineError("SESSION_UNKNOWN", "gone"), 1)
    assert session.error is not None
    assert not session.left


def test_the_first_hello_of_a_handle_resumes():
    session = Session({}, resume=kept(seq=7))
    hello = json.loads(session.hello())
    resume = {"session": "s_1", "token": "t0", "epoch": 1, "seq": 7}
    assert hello == {"type": "config", "resume": resume, "credit": 8}
    assert json.loads(Session({}, resume=kept(delivery="latest")).hello())["credit"] == 2
    assert SAID["config-resume"].keys() == hello.keys()


def test_outcomes_of_a_former_process_are_told_first_and_its_frames_are_not_replayed():
    session = taken_up(kept(seq=1), seq=2, after=4)
    assert session.ready.resumed == TakenUp("exact", session.ready.resumed.digest, 2, 4)
    (former,) = pulled(session)
    assert former["type"] == "flush"
    assert (session.unsettled, session.send(JPEG, 6)) == (3, 5)
    for seq in (2, 3, 4, 5):
        session.receive(depth(seq), 7)
    told = outcomes(session)
    assert [(outcome.seq, outcome.latency_ms) for outcome in told] == [(2, 2000), (3, 2000), (4, 2000), (5, 1000)]
    assert (session.unsettled, session.handle.seq) == (0, 5)
    pulled(session)
    session.lost()
    session.hello()
    message = ready("ready-replay", after=5, replay={"frames": 9, "bytes": 9000})
    assert session.opened(message, 8) == (0, 1)
    assert pulled(session)[:2] == [-5, SAID["replayed"]]


@pytest.mark.parametrize(
    ("seq", "made", "after", "first"), [(4, 2, 3, 5), (2, 2, 6, 7), (2, 6, 3, 7)], ids=["handle", "after", "made"]
)
def test_frames_are_numbered_from_behind_all_that_is_known(seq, made, after, first):
    assert taken_up(kept(seq=seq), seq=made, after=after).send(JPEG, 6) == first


def test_a_past_that_is_asked_for_is_not_here():
    session = taken_up(kept(seq=6), "ready-replay", after=6)
    session.send(JPEG, 6)
    assert pulled(session) == [SAID["replayed"], 7]


def test_frames_of_a_former_process_count_among_those_that_the_server_takes():
    session = taken_up(kept(seq=0), after=4)
    assert not session.has_room
    session.receive(depth(1), 6)
    assert session.has_room


def test_a_flush_and_a_close_have_credit_for_the_frames_of_a_former_process():
    for ask in (Session.flush, Session.close):
        session = Session({}, resume=kept(seq=0), read_ahead=1)
        session.hello()
        session.opened(ready("ready-resumed", after=3), 5)
        ask(session)
        assert SAID["credit"] | {"results": 2} in pulled(session)


def test_nothing_waits_for_numbers_that_were_no_frames():
    session = taken_up(kept(seq=0, delivery="latest"), after=9)
    session.send(JPEG, 6)
    session.send(JPEG, 6)
    former, last = pulled(session)
    assert (former["type"], last) == ("flush", 11)
    session.receive(depth(4), 6)
    assert [outcome.seq for outcome in outcomes(session)] == [4]
    session.receive(json.dumps({"type": "flushed", "id": former["id"]}), 6)
    assert ([outcome.seq for outcome in outcomes(session)], session.unsettled) == ([10], 1)
    session.lost()
    session.hello()
    session.opened(ready("ready-resumed", after=11), 7)
    assert pulled(session) == []


def test_an_answer_that_a_former_process_had_and_that_comes_again_answers_nothing():
    first, second = taken_up(kept(seq=0), after=2), taken_up(kept(seq=0), after=2)
    asked = [[session.flush(), session.update({}), session.checkpoint()] for session in (first, second)]
    said = [{message["id"] for message in pulled(session) if "id" in message} for session in (first, second)]
    assert [len(ids) for ids in said] == [4, 4]
    assert not said[0] & said[1]
    assert [set(ids) <= all_ids for ids, all_ids in zip(asked, said)] == [True, True]
    for answered in said[0]:
        second.receive(json.dumps({"type": "flushed", "id": answered}), 6)
    assert (second.unsettled, len(second.flushes)) == (2, 2)


def test_an_outcome_of_its_own_ends_the_wait_for_a_former_process():
    session = taken_up(kept(seq=0), after=2)
    session.send(JPEG, 6)
    session.receive(depth(3), 7)
    assert ([outcome.seq for outcome in outcomes(session)], session.unsettled) == ([3], 0)


def test_frames_that_went_with_their_worker_are_not_waited_for():
    session = taken_up(kept(seq=0), after=2)
    session.send(JPEG, 6)
    session.lost()
    session.hello()
    session.opened(ready("ready-replay", after=0), 7)
    assert session.unsettled == 1
    session.receive(depth(3), 8)
    assert [outcome.seq for outcome in outcomes(session)] == [3]


def test_a_session_taken_up_is_what_it_was():
    beside = {"config": {}, "context": b"", "resumable": False}
    for name, value in beside.items():
        assert name in refusal(lambda: connect_async("ws://127.0.0.1:1", resume=kept(), **{name: value}))
        assert name in refusal(lambda: connect("ws://127.0.0.1:1", resume=kept(), **{name: value}))
    assert "from_dict" in refusal(lambda: connect_async("ws://127.0.0.1:1", resume=kept().to_dict()))
