"""The command line of the labelling script."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import click

from processor.console import streams
from processor.errors import ProcessorError

_EPILOG = """\b
예시:
  python scripts/batch_labeling_openai.py --input data/unlabeled_news.csv --mode submit
  python scripts/batch_labeling_openai.py --mode check --batch-id batch_xyz789
  python scripts/batch_labeling_openai.py --mode download --batch-id batch_xyz789 \\
      --input data/unlabeled_news.csv --output data/labeled_news.csv

\b
  # 실패한 행만 다시 보내고, 받은 답을 전체 결과에 합치기
  python scripts/batch_labeling_openai.py --input data/labeled_news_failed.csv --mode submit
  python scripts/batch_labeling_openai.py --mode download \\
      --input data/unlabeled_news.csv --output data/labeled_news.csv

\b
  # API 키 없이 시험해 보기
  python scripts/batch_labeling_openai.py --input data/unlabeled_news.csv --mode submit --sandbox
  python scripts/batch_labeling_openai.py --mode check
  python scripts/batch_labeling_openai.py --mode download --output data/labeled_news.csv

\b
프롬프트(--prompt): 글이나 파일 이름. {title} {source} {date} {text} {topic} 과 CSV 의 다른 열
이름을 쓸 수 있고, 값이 없으면 N/A 가 들어갑니다. 이름만 바꿔 넣으므로 안전합니다; 중괄호
자체는 {{ 와 }} 로 씁니다. {{ title }} 이나 {% if … %} 가 있으면 Jinja2 로 읽습니다.
예시(--examples): text, label 열이 있는 CSV 또는 JSONL (title 등 다른 열도 쓸 수 있음).

\b
환경: OPENAI_API_KEY, OPENAI_BASE_URL, 현재 폴더의 .env. 실행 기록은 runs/, 로그는 logs/ 에
남습니다.

\b
종료 코드: 0 성공 (submit: 배치를 만듦, check: 상태를 읽음, download: 모든 행에 라벨) · 1 잘못된
사용이나 입력 · 2 라벨이 없는 행이 있음 · 3 제공자나 네트워크 때문에 멈춤 · 4 예산 · 5 디스크 ·
6 아직 처리 중 · 130 중단됨.
"""


@click.command(epilog=_EPILOG, context_settings={"max_content_width": 100})
@click.option(
    "--mode",
    type=click.Choice(["submit", "check", "download"]),
    required=True,
    help="제출, 상태 확인, 결과 받기.",
)
@click.option(
    "--input",
    "input_",
    metavar="CSV",
    help="기사. text 열은 꼭 필요합니다.  [마지막에 제출한 파일]",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    metavar="CSV",
    help="라벨이 붙은 결과.  [입력 이름_labeled.csv]",
)
@click.option("--batch-id", metavar="ID", help="배치 ID.  [batch_info_openai.json]")
@click.option("--prompt", metavar="FILE|TEXT", help="기본 프롬프트 대신 쓸 프롬프트.")
@click.option("--examples", metavar="FILE", help="few-shot 예시: text, label 열이 있는 CSV, JSONL.")
@click.option("--temperature", type=click.FloatRange(0, 2), help="모델의 temperature.")
@click.option("--model", help="모델.  [gpt-6-luna]")
@click.option("--gold", metavar="COLUMN", help="사람이 붙인 정답 열과 비교합니다 (download).")
@click.option(
    "--force",
    is_flag=True,
    help="submit: 이미 제출한 파일을 다시 제출합니다(비용이 다시 듭니다). download: 아직 끝나지 "
    "않았어도 지금까지의 결과를 씁니다.",
)
@click.option("--encoding", help="입력의 인코딩, 예: cp949.  [자동]")
@click.option("--sandbox", is_flag=True, help="키 없이 로컬 서버로 시험합니다 (submit).")
@click.option("--sandbox-args", default="", metavar="ARGS", help="processor sandbox --help 참고.")
@click.option("--base-url", metavar="URL", help="API 주소.  [OPENAI_BASE_URL]")
@click.option("--budget", "budget_usd", type=float, metavar="USD", help="쓸 수 있는 최대 금액.")
@click.option("--price", metavar="IN,OUT", help="토큰 백만 개당 달러; 가격표 대신 씁니다.")
@click.option(
    "--shard-size",
    type=int,
    metavar="N",
    help="배치 하나에 넣을 기사 수.  [10,000개부터 1,000개씩; 그보다 적으면 한 배치]",
)
@click.option("--rounds", type=int, metavar="N", help="한 기사를 배치에 넣는 최대 횟수.  [3]")
@click.option(
    "--new-account", is_flag=True, help="다른 키로 제출한 배치를 이 키로도 볼 수 있을 때 씁니다."
)
@click.option(
    "--notify",
    multiple=True,
    metavar="URL",
    help="download: 끝나면 알릴 곳 (slack://…, mailto://…, json://… 등 apprise 주소, 또는 "
    "env:변수).  [PROCESSOR_NOTIFY]",
)
@click.option("--notify-on", metavar="LIST", hidden=True)
@click.option("--grace", "grace_s", type=float, metavar="S", hidden=True)
@click.option(
    "--skip-invalid", is_flag=True, default=None, help="text 가 빈 행은 보내지 않고 남겨 둡니다."
)
def command(**options: Any) -> int:
    """뉴스 기사에 OpenAI Batch API 로 (반값에) 라벨을 붙입니다."""
    from processor.labelling.task import Wishes  # noqa: PLC0415 - loads the engine
    from processor.labelling.typed import Typed  # noqa: PLC0415

    if options["sandbox"] and options["base_url"]:
        raise click.UsageError("--sandbox 와 --base-url 은 함께 쓸 수 없습니다")
    if options["sandbox_args"] and not options["sandbox"]:
        raise click.UsageError("--sandbox-args 는 --sandbox 와 함께 씁니다")
    names = (
        *("base_url", "budget_usd", "price", "shard_size", "rounds", "grace_s", "skip_invalid"),
        *("notify", "notify_on"),
    )
    typed = Typed(
        input=options["input_"],
        wishes=Wishes(
            **{name: options[name] for name in ("prompt", "examples", "temperature", "model")}
        ),
        settings={name: options[name] for name in names},
        **{
            name: options[name]
            for name in (
                *("output", "batch_id", "encoding", "gold", "force", "sandbox", "sandbox_args"),
                "new_account",
            )
        },
    )
    return _MODES[options["mode"]](typed)


def _submit(typed: Any) -> int:
    from processor.labelling.submitting import submit  # noqa: PLC0415 - loads the engine

    return submit(typed)


def _check(typed: Any) -> int:
    from processor.labelling.checking import check  # noqa: PLC0415 - loads the engine

    return check(typed)


def _download(typed: Any) -> int:
    from processor.labelling.downloading import download  # noqa: PLC0415 - loads the engine

    return download(typed)


_MODES = {"submit": _submit, "check": _check, "download": _download}


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the script; ends the process with a documented exit code."""
    streams.make_safe()
    name = Path(sys.argv[0]).name
    if any("\ud800" <= mark <= "\udfff" for word in arguments or sys.argv for mark in word):
        _fail("명령을 읽을 수 없습니다: LANG=C.UTF-8 또는 PYTHONUTF8=1 로 실행하세요.", 1)
    try:
        code = command.main(
            args=None if arguments is None else list(arguments),
            prog_name=name,
            standalone_mode=False,
        )
        streams.finish()
    except click.ClickException as error:
        _fail(f"{' '.join(error.format_message().split())} ({name} --help)", 1)
    except (click.Abort, KeyboardInterrupt):
        _fail("중단되었습니다. 같은 명령으로 이어서 할 수 있습니다.", 130)
    except ProcessorError as error:
        _fail(str(error), error.exit_code)
    except ModuleNotFoundError as error:  # an environment that was not made for this
        _fail(
            f"{error.name} 패키지가 설치되어 있지 않습니다. "
            f"설치: {sys.executable} -m pip install request-processor",
            1,
        )
    except BrokenPipeError:
        streams.silence(sys.stdout)
        sys.exit(0)
    sys.exit(code if isinstance(code, int) else 0)


def _fail(message: str, code: int) -> NoReturn:
    streams.tell(f"❌ {message}")
    streams.finish()
    sys.exit(code)
