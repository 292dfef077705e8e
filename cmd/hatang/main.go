// Command hatang serves and maintains the register of a province's postal and
// telecom infrastructure. `hatang help` lists its subcommands.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	_ "time/tzdata" // where the system has no time zones

	"github.com/alecthomas/kong"

	"hatang/internal/account"
	"hatang/internal/layer"
)

// version is the program's version; a release build sets it.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Getenv, os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// Exit codes of every command.
const (
	exitDone     = 0
	exitFindings = 1 // something was refused, or failed
	exitUsage    = 2
)

// errFindings says that a command worked and found what it was asked to look for.
var errFindings = errors.New("findings")

// usageError is a wrong use of a command.
type usageError struct{ error }

// commands is the command line; kong reads the tags.
type commands struct {
	globals

	Serve   serveCommand    `cmd:"" help:"Serve the register: page, API and tiles. Without a database URL it runs its own PostgreSQL."`
	Migrate migrateCommand  `cmd:"" help:"Bring the database schema up to date."`
	Demo    demoCommand     `cmd:"" help:"Load the Điện Biên plan into an empty database."`
	Import  importCommand   `cmd:"" help:"Bring the features of a file into a layer."`
	Mapping mappingCommand  `cmd:"" help:"Mappings: how files of one kind are read into a layer, saved under a name to be used again."`
	Export  exportCommand   `cmd:"" help:"Write a layer to a file."`
	Changes changesCommand  `cmd:"" help:"Write who changed what, the newest first."`
	Revert  revertCommand   `cmd:"" help:"Take changes back: those of a request, of a time, or of a row; exit status 1 where rows were changed later."`
	Layer   layerCommand    `cmd:"" help:"Layers; those that were published from files can be changed and withdrawn."`
	Units   unitsCommand    `cmd:"" help:"Administrative units in time: what became of which, the end of a level, gaps and overlaps."`
	Check   checkCommand    `cmd:"" help:"Check where masts may stand; exit status 1 unless all may."`
	Cable   cableCommand    `cmd:"" name:"check-cable" help:"Check where cables may run; exit status 1 unless all may."`
	Verdict verdictCommand  `cmd:"" help:"Recorded verdicts: show, verify, make again; the key that signs them."`
	Key     keyCommand      `cmd:"" help:"API keys."`
	User    userCommand     `cmd:"" help:"People who sign in, and what they may do."`
	Sites   sitesCommand    `cmd:"" help:"One mast, several lists: sites that are proposed as one, merged and split."`
	Permit  permitCommand   `cmd:"" name:"proposal" help:"Proposals to build: list, show, and the steps of officers."`
	Sharing sharingCommand  `cmd:"" help:"Requests to share: list, show, the steps of officers, and the register in figures."`
	Notice  noticeCommand   `cmd:"" help:"Notices to people and programs: what became of them, and sending again what failed."`
	Days    calendarCommand `cmd:"" name:"calendar" help:"The days that are worked, by which deadlines are counted: list, import, set and remove."`
	Rules   rulesCommand    `cmd:"" help:"The rules that checks judge by: their versions, drafts, differences and publication."`
	Audit   auditCommand    `cmd:"" help:"Sign-ins, rights, keys and refused writes; exit status 1 where the record is broken."`
	Doctor  doctorCommand   `cmd:"" help:"Say what is installed, reachable and consistent."`
	Keeper  keeperCommand   `cmd:"" hidden:"" name:"keep-cluster"`

	Version kong.VersionFlag `help:"Show the version and exit."`
}

// globals are the flags of every command.
type globals struct {
	DatabaseURL string `env:"DATABASE_URL" placeholder:"URL" help:"Use this PostgreSQL instead of a private one (PostgreSQL 14+, PostGIS 3.1+)."`
	Data        string `env:"HATANG_DATA" default:".hatang" type:"path" placeholder:"DIR" help:"Folder of the private PostgreSQL."`
	SigningKey  string `env:"HATANG_SIGNING_KEY" type:"path" placeholder:"FILE" help:"Private key by which verdicts are signed, the same of all servers; default signing-key.pem in the folder of --data."`
	Date        string `env:"HATANG_DATE" placeholder:"YYYY-MM-DD" help:"Reference date of answers, or today; default the demonstration's, else today."`
}

// environment is what a command works with besides its flags.
type environment struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	language       string // "vi" or "en", of sentences on the terminal
	user           string // unix user, for the history
	request        string // id of the command, for the history
}

// run is the program: it never ends the process itself.
func run(ctx context.Context, args []string, getenv func(string) string, stdin io.Reader, stdout, stderr io.Writer) int {
	env := &environment{stdin: stdin, stdout: stdout, stderr: stderr, language: languageOf(getenv), user: unixUser(getenv), request: newRequest()}
	ctx = account.WithAsking(ctx, &account.Asking{Request: env.request})
	var c commands
	exit := -1
	parser, err := kong.New(&c, kong.Name("hatang"), kong.Description("Postal and telecom infrastructure on a digital map."),
		kong.Writers(stdout, stderr), kong.Exit(func(code int) { exit = code }), kong.Vars{"version": version},
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(env), kong.UsageOnError())
	if err != nil {
		fmt.Fprintln(stderr, "hatang:", err)
		return exitUsage
	}
	if len(args) == 1 && args[0] == "help" {
		args = []string{"--help"}
	}
	k, err := parser.Parse(args)
	if exit >= 0 { // --help or --version were answered
		return exit
	}
	if err != nil {
		fmt.Fprintln(stderr, "hatang:", err)
		return exitUsage
	}
	if err := c.checkDate(); err != nil {
		return exitCode(err, env)
	}
	return exitCode(k.Run(&c.globals), env)
}

// newRequest is a name that no other command or request has.
func newRequest() string { return "cli-" + strings.ToLower(rand.Text()) }

// exitCode tells the person what went wrong, once.
func exitCode(err error, env *environment) int {
	var usage usageError
	var invalid *layer.InvalidError
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errFindings):
		return exitFindings
	case errors.As(err, &usage):
		fmt.Fprintln(env.stderr, "hatang:", err)
		return exitUsage
	case errors.As(err, &invalid):
		for _, f := range invalid.Faults {
			where := ""
			if f.At != "" { // else the whole input is meant
				where = f.At + ": "
			}
			fmt.Fprintf(env.stderr, "hatang: %s%s\n", where, f.Detail.In(env.language))
		}
		return exitFindings
	}
	fmt.Fprintln(env.stderr, "hatang:", err)
	return exitFindings
}

// languageOf reads the language of the terminal: Vietnamese where the locale says so.
func languageOf(getenv func(string) string) string {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if locale := getenv(name); locale != "" {
			if strings.HasPrefix(locale, "vi") {
				return "vi"
			}
			return "en"
		}
	}
	return "en"
}
