"""`python -m infra <verb>`: the table of verbs. A verb's module is imported only when it is called for."""

from __future__ import annotations

from importlib import import_module

import click

VERBS = {
    "up": ("infra.commands.up:up", "Start the whole service on this machine."),
    "down": ("infra.commands.down:down", "Stop the running stack."),
    "status": ("infra.commands.status:status", "Show a stack's parts: the running one's, or a stage's."),
    "env": ("infra.commands.env:env", "Print the running stack's settings for a shell."),
    "migrate": ("infra.commands.migrate:migrate", "Bring a ledger's tables up to date."),
    "package": ("infra.commands.package:package", "Build the zip that Lambda runs, and look into it."),
    "deploy": ("infra.commands.deploy:deploy", "Deploy a stage, or print the plan of it."),
    "destroy": ("infra.commands.destroy:destroy", "Take a stage down; its data stays in a snapshot."),
    "emulator": ("infra.commands.emulator:emulator", "Start, stop or show the emulated AWS of this machine."),
    "outputs": ("infra.commands.outputs:outputs", "Print the addresses that a stage's stacks put out."),
    "logs": ("infra.commands.logs:logs", "Read and follow the logs of a stage's functions."),
    "prewarm": ("infra.commands.prewarm:prewarm", "Raise concurrency for an on-sale, and lower it after."),
    "doctor": ("infra.commands.doctor:doctor", "Say what is missing for a deployment, and what to do."),
    "token": ("infra.commands.token:token", "Make a token for a stack that asks for them."),
    "pay": ("infra.commands.pay:pay", "Play the payment provider for one order."),
    "find": (
        "infra.commands.find:find",
        "Find orders by id, buyer, key or message, and tell what happened to one.",
    ),
    "dead-letters": (
        "infra.commands.dead_letters:dead_letters",
        "List, foresee, redrive or delete messages that failed.",
    ),
    "rush": ("infra.commands.rush:rush", "Send a crowd of buyers to a running stack, then audit it."),
    "bench": ("infra.commands.bench:bench", "Measure the limits of this machine, and ours beside them."),
    "capacity": ("infra.commands.capacity:capacity", "Say which limits bind for an on-sale of a given size."),
    "cost": ("infra.commands.cost:cost", "Write the bill of an on-sale on AWS, by service."),
    "check-history": (
        "infra.commands.check_history:check_history",
        "Judge a run by its history alone.",
    ),
    "top": ("infra.commands.top:top", "Watch a sale live in the terminal."),
    "pause": ("infra.commands.switches:pause", "Pause a sale, or fulfilment."),
    "resume": ("infra.commands.switches:resume", "Resume a sale, or fulfilment."),
    "close": ("infra.commands.switches:close", "End a sale for good."),
    "report": ("infra.commands.report:report", "Write one page about a sale, after it."),
    "audit": ("infra.commands.audit:audit", "Walk every order of an event, and print what does not add up."),
}
"""Each verb: where its command lives (module:attribute), and what `--help` says of it."""


class Verbs(click.Group):
    """A group of commands that reads nothing but the table until one of them is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Names in the table's order."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of that name, or None when there is no such verb."""
        if cmd_name not in VERBS:
            return None
        module, attribute = VERBS[cmd_name][0].split(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Writes the table, so that `--help` imports no verb."""
        with formatter.section("Verbs"):
            formatter.write_dl([(verb, sentence) for verb, (_, sentence) in VERBS.items()])


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Onsale: run it, measure it, look after it."""


if __name__ == "__main__":
    main(prog_name="python -m infra")
