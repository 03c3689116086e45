"""The commands, gathered under one name."""

from __future__ import annotations

import typer
import typer.rich_utils

from broadcaster.cli import (
    account,
    archive,
    audit,
    bench,
    cap,
    demo,
    doctor,
    import_,
    init,
    issue,
    plan,
    rules,
    serve,
    status,
    wechat,
    worker,
)
from broadcaster.cli.chinese import ChineseCommand, ChineseGroup
from broadcaster.logs import configure_logs

app = typer.Typer(
    name="daohu",
    help="到户：一次撰写，户户送达，户户有交代。",
    cls=ChineseGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.command("init", cls=ChineseCommand)(init.init)
app.command("serve", cls=ChineseCommand)(serve.serve)
app.command("worker", cls=ChineseCommand)(worker.worker)
app.command("demo", cls=ChineseCommand)(demo.demo)
app.add_typer(import_.app, name="import")
app.command("plan", cls=ChineseCommand)(plan.plan)
app.command("issue", cls=ChineseCommand)(issue.issue)
app.command("status", cls=ChineseCommand)(status.status)
app.command("archive", cls=ChineseCommand)(archive.archive)
app.command("doctor", cls=ChineseCommand)(doctor.doctor)
app.add_typer(account.app, name="account")
app.add_typer(audit.app, name="audit")
app.add_typer(cap.app, name="cap")
app.add_typer(rules.app, name="rules")
app.add_typer(wechat.app, name="wechat")
app.add_typer(bench.app, name="bench")


def main() -> None:
    """Run `daohu`; ends the process with 0 (done), 1 (failed) or 2 (wrong usage, input or settings)."""
    configure_logs(level="warning")  # until the settings say how; nothing may be logged any other way
    app()
