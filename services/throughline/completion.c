/* throughline completion: what the shell asks when somebody presses Tab. The script asks this program for everything, so it knows what the
 * program knows. */
#include "services/throughline/command.h"

#include <stdio.h>

static const Setting settings[] = { { 0 } };

static const char script[] =
    "_throughline() {\n"
    "  local program=${COMP_WORDS[0]} word=${COMP_WORDS[COMP_CWORD]} words=\"\"\n"
    "  if [ \"$COMP_CWORD\" = 1 ]; then\n"
    "    words=$(\"$program\" --help | sed -n 's/^  \\([a-z][a-z-]*\\) .*/\\1/p')\n"
    "  elif [[ $word == --* ]]; then\n"
    "    words=$(\"$program\" \"${COMP_WORDS[1]}\" --help | sed -n 's/^  \\(--[a-z-]*\\)  "
    ".*/\\1/p')\n"
    "  elif [ \"${COMP_WORDS[1]} $COMP_CWORD\" = \"call 2\" ]; then\n"
    "    words=\"identity catalog cart feedback notification\"\n"
    "  elif [ \"${COMP_WORDS[1]} $COMP_CWORD\" = \"call 3\" ]; then\n"
    "    words=$(\"$program\" call \"${COMP_WORDS[2]}\" 2>/dev/null | cut -d' ' -f1)\n"
    "  elif [ \"${COMP_WORDS[1]} $COMP_CWORD\" = \"watch 2\" ]; then\n"
    "    words=\"cart inbox events\"\n"
    "  fi\n"
    "  COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
    "}\n"
    "complete -o default -F _throughline throughline\n";

static int run(const Config *config, Arena *arena)
{
    (void)config, (void)arena;
    fputs(script, stdout);
    return EXIT_OK;
}

const Command command_completion = {
    .name = "completion",
    .arguments = "",
    .summary = "Prints what bash needs to complete commands, settings and methods.",
    .details =
        "\nbash: source <(throughline completion), in ~/.bashrc. zsh: autoload -U bashcompinit; "
        "bashcompinit; the same.\n",
    .settings = (const Setting *const[]){ settings, NULL },
    .run = run,
};
