"""Task files: what is refused, in one line that names file and key."""

import re
from pathlib import Path

import pytest

from processor.errors import TaskError
from processor.tasks.output import Output
from processor.tasks.taskfile import TaskFile, parse
from processor.tasks.toml import load_task, shipped_tasks, task_text

HEAD = 'name = "mine"\nmodel = "m"\n'
GOOD = HEAD + 'prompt = "{{ text }}"\n'
SAID = HEAD + 'messages = [{ role = "user", content = "a" }]\n'


def test_the_least_that_a_file_needs() -> None:
    assert parse(GOOD, where="f") == TaskFile(name="mine", model="m", prompt="{{ text }}")


def test_everything_that_a_file_can_say() -> None:
    text = (
        GOOD
        + """
        description = "d"
        endpoint = "/v1/chat/completions"
        id = "row"
        system = "s"
        examples = [{ user = "u", assistant = "a" }]
        max_output_tokens = 5
        [parameters]
        temperature = 0.5
        [output]
        kind = "label"
        labels = { "0" = "no", "1" = "yes" }
        reask = 2
        """
    )
    assert parse(text, where="f") == TaskFile(
        name="mine",
        model="m",
        prompt="{{ text }}",
        description="d",
        id="row",
        system="s",
        examples=(("u", "a"),),
        max_output_tokens=5,
        parameters={"temperature": 0.5},
        output=Output(kind="label", labels={"0": "no", "1": "yes"}, reask=2),
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name = ", "not TOML: Invalid value (at end of document)"),
        ('model = "m"\nprompt = "p"', "name: missing"),
        ('name = "n"\nprompt = "p"', "model: missing"),
        ('name = "n"\nmodel = "m"\nprompt = " "', "prompt: missing"),
        (GOOD + "promt = 'x'", "promt: unknown key; did you mean prompt"),
        (GOOD + "xyzzy = 1", "xyzzy: unknown key; known are name, description"),
        (GOOD + "system = 1", "system: must be text, is 1"),
        (GOOD + "max_output_tokens = true", "max_output_tokens: must be a whole number, is True"),
        (GOOD + "max_output_tokens = 0", "max_output_tokens: must be 1 or more"),
        (GOOD + "examples = 'x'", "examples: must be an array, is 'x'"),
        (GOOD + "examples = ['x']", "examples: number 1: must be a table with user and assistant"),
        (GOOD + "examples = [{user='u'}]", "examples: number 1: must be a table with user"),
        (
            GOOD + "examples = [{user='u', assistant=0}]",
            "examples: number 1: assistant: must be text, is 0",
        ),
        (GOOD.replace("mine", "a/b"), "of the letters a to z, digits, - and _, is 'a/b'"),
        (GOOD.replace("mine", "뉴스"), "of the letters a to z, digits, - and _, is '뉴스'"),
        (GOOD + 'id = ""', "id: must name a field, or be row"),
        (GOOD + "endpoint = '/v1/x'", "endpoint: no '/v1/x'; there are /v1/chat/completions"),
        (GOOD + "parameters = 3", "parameters: must be a table, is 3"),
        (GOOD + "[parameters]\nmessages = []", "parameters: messages is not a parameter"),
        (GOOD + "[output]\nkind = 'jsn'", "output: kind: no kind 'jsn'; there are text, label"),
        (GOOD + "[output]\nkinds = 'text'", "output: kinds: unknown key; did you mean kind"),
        (GOOD + "[output]\nreask = 9", "output: reask: must be 0 to 5, is 9"),
        (GOOD + "[output]\nreask = -1", "output: reask: must be 0 to 5, is -1"),
        (GOOD + "[output]\nkind = 'label'", "output: labels: missing"),
        (GOOD + "[output]\nlabels = {a = 'b'}", "output: labels: kind 'text' has none"),
        (GOOD + "[output]\nkind = 'label'\nlabels = {a = 1}", "labels: 'a' must have a name, is 1"),
        (GOOD + "[output]\nkind = 'label'\nlabels = {a = ''}", "labels: 'a' must have a name"),
        (
            GOOD + "[output]\nkind = 'label'\nlabels = {a = 'x', b = 'X'}",
            "'X' stands for more than",
        ),
        (
            GOOD + "[output]\nkind = 'label'\nlabels = {a = 'x', A = 'y'}",
            "'A' stands for more than",
        ),
        (GOOD + "[output]\nmultiple = true", "output: multiple: kind 'text' has none"),
        (
            GOOD + "[output]\nkind = 'label'\nlabels = {a = 'b'}\nstructured = true",
            "output: structured: kind 'label' has none",
        ),
        (GOOD + "[output]\nsource = 'x'", "output: source: kind 'text' has none"),
        (
            GOOD + "messages = [{role='user', content='a'}]",
            "prompt and messages exclude each other",
        ),
        (GOOD + "[body]\nmessages = []", "prompt and body exclude each other"),
        (SAID + "system = 's'", "system goes with prompt, not with messages"),
        (SAID + "examples = []", "examples goes with prompt, not with messages"),
        (HEAD + "messages = []", "prompt: missing"),
        (HEAD + "messages = ['x']", "messages: number 1: must be a table with role and content"),
        (HEAD + "messages = [{role='user'}]", "messages: number 1: must be a table with role and"),
        (HEAD + "messages = [{role='me', content=''}]", "messages: number 1: role: no 'me'; there"),
        (HEAD + "messages = [{role='user', content=1}]", "number 1: content: must be text, or an"),
        (HEAD + "[body]\ninput = 'x'", "body: messages: missing; /v1/chat/completions needs it"),
        (HEAD + "[body]\nmessages = []\nmodel = 'x'", "body: model does not belong into it"),
        (
            HEAD + "parameters = {n = 1}\nbody = {messages = [], n = 1}",
            "body: n stands in parameters",
        ),
        (
            GOOD + "[parameters]\nseed = 99999999999999999999",
            "parameters: seed: 99999999999999999999",
        ),
        (GOOD + "[parameters]\ntemperature = nan", "parameters: temperature: nan is no number"),
        (
            GOOD + "[parameters]\nuser = 2026-11-21",
            "user: JSON has no date; write '2026-11-21'",
        ),
        (GOOD + "[overrides]\nmodel = ''", "overrides: model: must name a column"),
        (GOOD + "[overrides]\nmodle = 'x'", "overrides: modle: unknown key; did you mean model"),
        (
            GOOD + "[overrides]\nparameters = {seed = 1}",
            "overrides: parameters: seed: must be text",
        ),
        (GOOD + "[overrides]\nparameters = {model = 'x'}", "parameters: model is not a parameter"),
        (
            GOOD + "[output]\nkind = 'json'",
            "output: schema: missing; write it here, or name a file",
        ),
        (
            GOOD + "[output]\nkind = 'json'\nschema = {}\nschema_file = 'x'",
            "output: schema and schema_file exclude each other",
        ),
        (
            GOOD + "[output]\nkind = 'json'\nstructured = 1",
            "structured: must be true or false, is 1",
        ),
        (GOOD + "[output]\nschema = {}", "output: schema: kind 'text' has none"),
        (GOOD + "[output]\nmin_chars = -1", "output: min_chars: must be 0 or more, is -1"),
        (GOOD + "[output]\nmax_chars = 0", "output: max_chars: must be 1 or more, is 0"),
        (GOOD + "[output]\nmin_chars = 5\nmax_chars = 4", "max_chars: must be 5 or more, is 4"),
        (GOOD + "[output]\nforbid = ['']", "output: forbid: must be words, has ''"),
        (GOOD + "[output]\nforbid = [1]", "output: forbid: must be words, has 1"),
    ],
)
def test_a_wrong_file_is_refused_in_one_line(text: str, said: str) -> None:
    with pytest.raises(TaskError, match=re.escape(said)) as caught:
        parse(text, where="my.toml")
    assert str(caught.value).startswith("my.toml: ")
    assert "\n" not in str(caught.value)


def test_shipped_tasks_load_and_say_what_they_are() -> None:
    assert shipped_tasks() == ("mathml", "news", "persona", "requests")
    mathml, news, persona, requests = (load_task(name) for name in shipped_tasks())
    assert (mathml.id_field, mathml.kind, mathml.required_fields()) == (
        "question_id",
        "latex",
        ("mathml",),
    )
    assert (news.id_field, news.kind, news.required_fields()) == ("row", "label", ("text",))
    assert news.label_names["2"] == "비판 (Oppose)"
    assert (persona.kind, persona.required_fields()) == ("text", ("질문", "페르소나"))
    assert (persona.model_field, persona.named_fields()) == ("model", ())
    assert (requests.kind, requests.required_fields()) == ("text", ("body", "url"))


def test_a_file_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("\ufeff" + GOOD, "utf-8")
    assert load_task(str(path)).name == "mine"


@pytest.mark.parametrize("name", shipped_tasks())
def test_a_shipped_file_can_be_copied(name: str, tmp_path: Path) -> None:
    copy = tmp_path / "copy.toml"
    copy.write_text(task_text(name), "utf-8")
    assert load_task(str(copy)).identity == load_task(name).identity


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "nosuch",
            "nosuch: no such task. There are mathml, news, persona, requests; your own is a path",
        ),
        ("nosuch.toml", "nosuch.toml: No such file or directory"),
        ("./nosuch", "./nosuch: No such file or directory"),
        ("/", "/: Is a directory"),
    ],
)
def test_a_task_that_is_not_there(name: str, said: str) -> None:
    with pytest.raises(TaskError, match=re.escape(said)):
        load_task(name)


def test_a_file_in_another_encoding(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(GOOD.encode() + "system = '한글'".encode("cp949"))
    with pytest.raises(TaskError, match=r"not UTF-8, at byte \d+"):
        load_task(str(path))
