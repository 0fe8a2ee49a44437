/*
 * The `postern` command: finds what the command line asks for and does it. One
 * process, one thread, no state of its own but profiles.
 *
 * SIGPIPE does what it does: `postern ... | head` ends quietly.
 */
#include "common/secret.h"
#include "gateway/ctl/ctl_command.h"
#include "gateway/ctl/ctl_help.h"
#include "gateway/ctl/ctl_interrupt.h"
#include "gateway/ctl/ctl_out.h"
#include "gateway/ctl/ctl_text.h"

static enum ctl_exit
do_call(const struct ctl_call *call)
{
	if (ctl_command_option(call, OPT_VERSION) != NULL) {
		ctl_out(STYLE_PLAIN, "postern %s\n", POSTERN_VERSION);
		return CTL_OK;
	}
	if (ctl_command_option(call, OPT_HELP) != NULL)
		return ctl_help_print(call);
	if (call->command != NULL)
		return call->command->handler(call);
	if (call->group != NULL)
		return ctl_out_error(CTL_USAGE,
		    "%s needs a command; see postern %s --help", call->group,
		    call->group);
	return ctl_out_error(CTL_USAGE, "which command? See postern --help");
}

int
main(int argc, char **argv)
{
	struct err_detail detail = {0};
	struct ctl_call call = {0};
	enum ctl_exit exit;
	enum err err;

	secret_forbid_dumps();
	ctl_text_setup();
	err = ctl_command_parse(argc, argv, &call, &detail);
	ctl_out_setup(ctl_command_option(&call, OPT_COLOR));
	ctl_interrupt_setup();
	if (err != OK)
		exit = ctl_out_error(CTL_USAGE, "%s; see postern --help",
		    err_text(&detail, err));
	else
		exit = do_call(&call);
	exit = ctl_out_flush(exit);
	ctl_command_fini(&call);
	ctl_interrupt_obey();
	return (int)exit;
}
