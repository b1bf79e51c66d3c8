"""`swarmlab completion`."""

from __future__ import annotations

import click
from click.shell_completion import ShellComplete, get_completion_class


@click.command("completion", short_help="Completion for a shell.")
@click.argument("shell", metavar="bash|zsh|fish", type=click.Choice(["bash", "zsh", "fish"]))
def completion_command(shell: str) -> None:
    """Print the script that makes a shell complete commands, flags, scenarios and labs.

    \b
    Examples:
      eval "$(swarmlab completion bash)"
      swarmlab completion fish > ~/.config/fish/completions/swarmlab.fish
    """
    from swarmlab.cli.main import cli

    kind = get_completion_class(shell)
    assert kind is not None  # click knows all three
    # The base class's: bash's own would start a bash to ask its version, which need not be the shell that reads this.
    click.echo(ShellComplete.source(kind(cli, {}, "swarmlab", "_SWARMLAB_COMPLETE")))
