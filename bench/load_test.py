import pytest

import load
from processes import Failed


def test_the_length_of_a_body_is_that_of_the_item_it_will_have():
    request = load.verify_request("caller", item_size=5)
    head, _, body = request.filled("abcde").partition("\r\n\r\n")
    assert body == '{"key":"abcde"}'
    assert f"Content-Length: {len(body)}" in head.split("\r\n")
    assert "Authorization: Bearer caller" in head.split("\r\n")


def test_a_request_without_a_body_has_no_length():
    text = load.authz_request().text
    assert text == "GET /authz/default HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {item}\r\n\r\n"


def test_parsed_is_what_http_client_wants():
    method, path, headers, body = load.parsed(load.verify_request("c", item_size=3).filled("xyz"))
    assert (method, path, body) == ("POST", "/api/v2/keys/verify", '{"key":"xyz"}')
    assert headers == {"Host": "127.0.0.1", "Authorization": "Bearer c", "Content-Type": "application/json"}


def test_names_have_one_length_and_are_never_the_same(tmp_path):
    names = load.write_names(tmp_path / "names", 7, 3).read_text().split()
    assert names == ["00000007", "00000008", "00000009"]


def test_what_p402_load_measured():
    whole = '{"answered":10,"measured":8,"refused":0,"broken":0,"unanswered":0}'
    assert load.read_light("p402", whole)["measured"] == 8


@pytest.mark.parametrize("field", ["refused", "broken", "unanswered"])
def test_one_request_that_was_not_answered_well_is_a_failure(field):
    values = {"refused": 0, "broken": 0, "unanswered": 0, field: 1}
    text = '{"answered":10,"measured":8,' + ",".join(f'"{n}":{v}' for n, v in values.items()) + "}"
    with pytest.raises(Failed, match=f"1 {field}"):
        load.read_light("p402", text)


def test_nothing_answered_is_a_failure():
    with pytest.raises(Failed, match="nothing"):
        load.read_light("p402", '{"answered":0,"measured":0,"refused":0,"broken":0,"unanswered":0}')


def test_what_wrk_measured():
    result = load.read_wrk("nginx", "…\nRESULT 1000 500000 40 90 0 0\n")
    assert result == {"answered": 1000, "seconds": 0.5, "rps": 2000.0, "p50_us": 40, "p99_us": 90}
    for bad in ("RESULT 1000 500000 40 90 1 0", "RESULT 1000 500000 40 90 0 1", "no result", "RESULT 0 500000 0 0 0 0"):
        with pytest.raises(Failed):
            load.read_wrk("nginx", bad)
