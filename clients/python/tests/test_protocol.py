import json
import re

import numpy as np
import pytest
import vectors

from leadline_client.address import server_url, stream_url
from leadline_client.errors import ERRORS, LeadlineError, close_failure, server_failure
from leadline_client.outcome import DepthMap
from leadline_client.protocol import (
    KIND_DEPTH,
    Header,
    as_history,
    decode_message,
    encode_message,
    parse_server_message,
)

BINARY = vectors.read("binary")
CONTROL = vectors.read("control")
ADDRESSES = vectors.read("addresses")
REGISTRY = {error["code"]: error for error in vectors.read("errors")["errors"]}


def named(examples):
    return [pytest.param(example, id=example["name"]) for example in examples]


def header_of(example) -> Header:
    snake = {re.sub("[A-Z]", lambda letter: "_" + letter[0].lower(), key): value for key, value in example.items()}
    return Header(**snake)


@pytest.mark.parametrize("example", named(BINARY["good"]))
def test_a_binary_message_is_read_as_what_it_is(example):
    header, payload = decode_message(vectors.message(example["name"]))
    assert header == header_of(example["header"])
    assert len(payload) == example["payloadBytes"]


@pytest.mark.parametrize("example", named(e for e in BINARY["good"] if e["name"] != "depth-extended"))
def test_a_binary_message_is_written_as_the_others_write_it(example):
    message = vectors.message(example["name"])
    assert encode_message(header_of(example["header"]), message[64:]) == message


@pytest.mark.parametrize("example", named(e for e in BINARY["good"] if e["values"] is not None))
def test_values_are_the_same_bits_as_in_javascript(example):
    header, payload = decode_message(vectors.message(example["name"]))
    values = DepthMap(header, payload, 0).values
    assert values.shape == (header.height, header.width)
    assert values.dtype == np.float32
    assert values.ravel().tolist() == example["values"]


@pytest.mark.parametrize("example", named(e for e in BINARY["bad"] if e["by"] == "anyone"))
def test_a_binary_message_that_cannot_be_read_is_refused(example):
    with pytest.raises(LeadlineError) as caught:
        decode_message(vectors.message(example["name"]))
    assert caught.value.code == example["code"]


@pytest.mark.parametrize("example", named(CONTROL["server"]))
def test_a_control_message_is_read_passed_over_or_refused(example):
    if example["outcome"] == "refused":
        with pytest.raises(LeadlineError) as caught:
            parse_server_message(example["text"])
        assert caught.value.code == example["code"]
    else:
        wanted = None if example["outcome"] == "ignored" else json.loads(example["text"])
        assert parse_server_message(example["text"]) == wanted


@pytest.mark.parametrize("code", ERRORS)
def test_an_error_is_what_the_registry_says(code):
    known = REGISTRY[code]
    assert ERRORS[code] == (known["close"], known["temporary"], known["outlived"])


def test_every_error_that_a_stream_may_end_with_is_known():
    page = (vectors.FOLDER.parents[1] / "PROTOCOL.md").read_text(encoding="utf-8")
    codes = re.search(r"\n## Codes\n(.*?)\nNever on a stream", page, re.DOTALL)[1]
    told = set(re.findall(r"^\| ([A-Z_]+) \|", codes, re.MULTILINE))
    assert len(told) > 25
    assert told <= set(ERRORS)


def test_a_code_of_a_newer_server_stays_in_the_text():
    error = server_failure("TOO_RAINY", "It rains", 500)
    assert (error.code, error.detail, error.retry_after_ms) == ("INTERNAL", "TOO_RAINY: It rains", 500)


@pytest.mark.parametrize(
    "close, reason, code",
    [
        (4410, "SESSION_IDLE", "SESSION_IDLE"),
        (4441, "", "DRAINING"),
        (1009, "", "FRAME_TOO_LARGE"),
        (1006, "", "CONNECTION_LOST"),
        (1011, "", "CONNECTION_LOST"),
    ],
)
def test_a_close_without_an_error_before_it_has_a_name(close, reason, code):
    assert close_failure(close, reason).code == code


def test_history_is_marked_in_a_copy():
    message = vectors.message("frame-jpeg")
    header, _ = decode_message(as_history(message))
    assert header.flags == 8
    assert message == vectors.message("frame-jpeg")


def test_a_picture_has_no_values_and_says_what_to_ask_for():
    header, payload = decode_message(vectors.message("depth-png16"))
    with pytest.raises(LeadlineError, match="u16, f16 or f32"):
        _ = DepthMap(header, payload, 0).values


def test_a_map_of_the_wrong_length_is_refused():
    header = Header(KIND_DEPTH, 0, 0, "raw", 3, 2, dtype="u16")
    with pytest.raises(LeadlineError, match="3x2 u16 cannot have 11 bytes"):
        _ = DepthMap(header, memoryview(bytes(11)), 0).stored


@pytest.mark.parametrize("example", ADDRESSES["good"], ids=lambda example: example["address"])
def test_a_server_is_where_its_address_says(example):
    assert stream_url(example["address"]) == example["stream"]
    assert server_url(example["address"]) == re.sub(r"v1/stream.*", "", example["stream"].replace("ws", "http", 1))


@pytest.mark.parametrize("example", ADDRESSES["bad"], ids=lambda example: example["address"])
def test_what_is_no_address_of_a_server_is_refused(example):
    with pytest.raises(LeadlineError, match="write host:port, ws://host:port or wss://host") as caught:
        stream_url(example["address"])
    assert caught.value.code == "REQUEST_INVALID"
