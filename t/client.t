# t/client/: a client of our own, by the rules of the TypeScript library's,
# calls every method of the API.  Node's test runner runs it against each
# dialect, at the root and under a prefix, over the same data; each of its
# subtests is one here.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";
use Fliq::Test;
use Fliq::Port qw(free_port);
use JSON::PP qw(encode_json);

my $dir = "$FindBin::Bin/client";
my $port = free_port();

sandbox(workers => 2, http_conf => <<"CONF");
fliq_retry base=20ms jitter=0%;

server {
    listen 127.0.0.1:$port;

    location / {
        fliq_api dialect=sdk;
    }

    location /some/place/ {
        fliq_api;
    }
}
CONF

my @bases = ([reference => 'reference', sandbox->{url}],
             [sdk => 'sdk', "http://127.0.0.1:$port"],
             [prefix => 'reference', "http://127.0.0.1:$port/some/place"]);


# account(options): a new one, with a token.
sub account (@options) {
    my $id = sandbox->fliqctl('account', 'create', '--name', 'client',
                              @options)->{id};

    return { id => $id, token => token($id) };
}


sub token ($account, @options) {
    return sandbox->fliqctl('token', 'create', '--account', $account,
                            @options)->{token};
}


my $stranger = account();


# base(name, dialect, url): what the tests need to know of one.
sub base ($name, $dialect, $url) {
    my %accounts = (
        main => account(), alerts => account(), keys => account(),
        stranger => $stranger,
        counted => account(qw(--plan paid --credits 1000)),
        broke => account(qw(--plan paid --credits 1)),
        limited => account(qw(--plan free --credits 9 --daily-limit 1)),
    );

    $accounts{main}{readToken} = token($accounts{main}{id}, qw(--scope read));

    return { name => $name, dialect => $dialect, url => $url,
             accounts => \%accounts };
}


# Each line of node's TAP that says "ok" becomes a test; what else it says is
# shown when something failed.
sub replay ($node) {
    my (@path, $tests, @rest);

    while (my $line = <$node>) {
        if ($line =~ /^( *)# Subtest: (.*)/) {
            splice @path, length($1) / 4;
            push @path, $2;

        } elsif ($line =~ /^( *)(not )?ok \d+ - (.*?)(?: # (.*))?$/) {
            splice @path, length($1) / 4;
            ok(!$2 && !$4, join ' > ', @path, $3, $4 // ());
            $tests++ if $3 !~ /\.mjs\z/;

        } else {
            push @rest, $line;
        }
    }

    return ($tests, @rest);
}


$ENV{FLIQ_CLIENT} = encode_json({
    dsn => sandbox->{dsn}, bases => [map { base(@$_) } @bases],
});

open my $node, '-|', 'node', '--test', '--test-reporter=tap',
     sort glob "$dir/*.test.mjs"
    or die "node: $!\n";
my ($tests, @output) = replay($node);

ok(close $node, 'node is content') || diag(@output);
ok($tests > 100, "$tests tests");

finish();
