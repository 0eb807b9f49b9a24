// The subcommands of rankd-bundle; each returns the exit code of the process.
#pragma once

#include "tools/args.h"

namespace rankd::tools {

// write_commands.cc, index_command.cc, info_command.cc
int command_ids(const Args& args);
int command_table(const Args& args);
int command_index(const Args& args);
int command_info(const Args& args);

// check_commands.cc
int command_verify(const Args& args);
int command_run(const Args& args);

}  // namespace rankd::tools
