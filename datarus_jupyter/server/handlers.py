"""REST: the runs."""

from __future__ import annotations

from typing import Literal

import msgspec
from jupyter_server.auth.decorator import authorized
from tornado import web

from datarus_jupyter.journal import events as ev
from datarus_jupyter.server.api import BadRequest, DatarusHandler, may_execute
from datarus_jupyter.server.registry import Ask, GoOn, notebook_of


class RunsHandler(DatarusHandler):
    """``runs``: start one, list those there are."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """The notebook's runs, or all where none is named, newest first."""
        notebook = self.get_query_argument("notebook", None)
        summaries = await self.services.runs.summaries(notebook.strip("/") if notebook is not None else None)
        fields = ("run", "question", "notebook", "started", "seconds", "steps", "reason")
        self.reply([{name: getattr(summary, name) for name in fields} for summary in summaries])

    @web.authenticated
    @may_execute
    async def post(self) -> None:
        """Start a run."""
        ask = self.body(Ask)
        if not ask.question.strip():
            raise BadRequest("The question is empty: type what you want to know.")
        ask = msgspec.structs.replace(ask, notebook=await self.notebook(ask.notebook))
        self.reply({"run": await self.services.runs.start(ask)}, 201)


class RunHandler(DatarusHandler):
    """``runs/{run}``."""

    @web.authenticated
    @authorized
    async def get(self, run: str) -> None:
        """The run's events from ``since`` on, a page of them."""
        try:
            since = max(int(self.get_query_argument("since", "0")), 0)
        except ValueError as error:
            raise BadRequest("since is a whole number: the first seq wanted.") from error
        self.reply(await self.services.runs.page(run, since))


class StopHandler(DatarusHandler):
    """``runs/{run}/stop``."""

    @web.authenticated
    @may_execute
    async def post(self, run: str) -> None:
        """Stop the run; the kernel is interrupted only if it is at work on the run's code."""
        self.services.runs.stop(run)
        self.reply({}, 202)


class RevertBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """To before which step to go back."""

    step: int


class RevertHandler(DatarusHandler):
    """``runs/{run}/revert``."""

    @web.authenticated
    @may_execute
    async def post(self, run: str) -> None:
        """Take the run back to before a step; names the cells that stay because the user edited them."""
        self.reply({"kept": await self.services.runs.revert(run, self.body(RevertBody).step)})


class ResumeHandler(DatarusHandler):
    """``runs/{run}/resume``."""

    @web.authenticated
    @may_execute
    async def post(self, run: str) -> None:
        """Let a run go on that is over."""
        how = self.body(GoOn)
        if how.code is not None and (how.step is None or not how.code.strip()):
            raise BadRequest("The code is empty, or the step is not named in whose place it stands.")
        await self.notebook(notebook_of(await self.services.runs.events(run)))
        await self.services.runs.resume(run, how)
        self.reply({}, 202)


class ModeBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who decides that code runs."""

    mode: ev.Mode


class ModeHandler(DatarusHandler):
    """``runs/{run}/mode``."""

    @web.authenticated
    @may_execute
    async def post(self, run: str) -> None:
        """Another mode from now on; what waits is decided by it, if it would not have asked."""
        self.services.runs.set_mode(run, self.services.agents.modes.checked(self.body(ModeBody).mode))
        self.reply({}, 202)


class ModesHandler(DatarusHandler):
    """``modes``."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """The modes that this server allows, and the one where nobody has chosen."""
        self.reply(self.services.agents.modes)


class ApprovalBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A verdict on the code whose hash is ``sha256``; ``code`` is the edited code."""

    step: int
    sha256: str
    verdict: ev.Verdict
    code: str | None = None
    comment: str = ""


class ApprovalHandler(DatarusHandler):
    """``runs/{run}/approval``."""

    @web.authenticated
    @may_execute
    async def post(self, run: str) -> None:
        """Hand the verdict to the run that waits for it."""
        body = self.body(ApprovalBody)
        if (body.verdict == "edited") != (body.code is not None):
            raise BadRequest("The verdict edited needs the edited code, and the others have none.")
        self.services.runs.decide(run, ev.ApprovalDecided(**msgspec.structs.asdict(body)))
        self.reply({}, 202)


class FeedbackBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rating of a step, or of the run."""

    rating: Literal[-1, 1]
    step: int | None = None
    comment: str = ""


class FeedbackHandler(DatarusHandler):
    """``runs/{run}/feedback``."""

    @web.authenticated
    @authorized
    async def post(self, run: str) -> None:
        """Add the rating to the run's journal."""
        body = self.body(FeedbackBody)
        await self.services.runs.append(run, ev.Feedback(**msgspec.structs.asdict(body)))
        self.reply({}, 202)


class ProposalBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether the user took the new version of their cell that the run offers."""

    accepted: bool


class ProposalHandler(DatarusHandler):
    """``runs/{run}/proposal``."""

    @web.authenticated
    @authorized
    async def post(self, run: str) -> None:
        """Add the user's word to the run's journal; the browser changes the cell."""
        await self.services.runs.append(run, ev.ProposalDecided(accepted=self.body(ProposalBody).accepted))
        self.reply({}, 202)


class FilesHandler(DatarusHandler):
    """``attachments/files``."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """The data files beside the notebook."""
        notebook = await self.notebook(self.get_query_argument("notebook"))
        self.reply(await self.services.attachments.files(notebook))


class VariablesHandler(DatarusHandler):
    """``attachments/variables``."""

    @web.authenticated
    @may_execute
    async def get(self) -> None:
        """The variables in the notebook's kernel, which is asked silently; it is not started for that."""
        notebook = await self.notebook(self.get_query_argument("notebook"))
        self.reply(await self.services.attachments.variables(notebook))
