import pytest

from broadcaster.rehearsal.browser import find_form

PAGE = """<html><body>
<form method="get" action="/search"><button>确认搜索</button></form>
<form method="post" action="/r/abc"><input type="hidden" name="token" value="t1"><input name="note" value="">
<button name="answer" value="help" formaction="/r/abc/help">需要帮助</button>
<button type="submit" name="answer" value="1">我已收到</button></form></body></html>"""


def test_the_button_that_matches_is_pressed_with_its_forms_fields() -> None:
    assert find_form(PAGE, "收到|确认") == ("/r/abc", {"token": "t1", "note": "", "answer": "1"})
    assert find_form(PAGE, "帮助") == ("/r/abc/help", {"token": "t1", "note": "", "answer": "help"})


@pytest.mark.parametrize("page", ["", "  ", "<p>收到</p>", "not html at all", "<form method=post>"])
def test_a_page_without_such_a_button_is_given_up(page: str) -> None:
    assert find_form(page, "收到") is None
