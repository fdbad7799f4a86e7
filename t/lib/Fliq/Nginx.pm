package Fliq::Nginx;

# What the Test::Nginx files share.  To be used before Test::Nginx::Socket:
# it starts a sandbox for its PostgreSQL and tells Test::Nginx where all is,
# unless the environment says so already.
#
#   use FindBin;
#   use lib "$FindBin::Bin/lib";
#   use Fliq::Nginx;
#   use Test::Nginx::Socket 'no_plan';
#
#   run_tests();
#
# In the blocks: $TEST_NGINX_FLIQ_DSN in a configuration; the functions below
# in what is evaluated.  A block without http_config gets the preamble's, one
# without config an API at /, one without more_headers a good token.  Every
# block asserts that nothing bad was logged, at shutdown too.

use strict;
use warnings;

use Exporter qw(import);
use HTTP::Tiny;
use JSON::PP ();

use Fliq::Port qw(free_port);
use Fliq::Sandbox;

our @EXPORT = qw(token bearer post job_id bad good has json sandbox);

our $http_config = <<'END_HTTP';
    fliq_database "$TEST_NGINX_FLIQ_DSN";
    fliq_target_allow 127.0.0.0/8;
END_HTTP

our $config = <<'END_CONFIG';
    location / {
        fliq_api;
    }
END_CONFIG

my $bad = qr/\[(?:alert|emerg|crit)\]
             |AddressSanitizer|LeakSanitizer:|runtime\ error:/x;
my $json = JSON::PP->new->utf8->canonical->allow_nonref;
my $sandbox;


BEGIN {
    our $share;
    $sandbox = ($share && Fliq::Sandbox->shared) || Fliq::Sandbox->start;

    open my $in, '<', $sandbox->{nginx_conf} or die "nginx.conf: $!\n";
    my ($module) = join('', <$in>) =~ /load_module (\S+);/;

    $ENV{TEST_NGINX_BINARY}       ||= '/usr/sbin/nginx';
    $ENV{TEST_NGINX_LOAD_MODULES} ||= $module;
    $ENV{TEST_NGINX_PORT}         ||= free_port();
    $ENV{TEST_NGINX_SERVROOT}     ||= "$sandbox->{root}/servroot";
    $ENV{TEST_NGINX_SLEEP}        ||= 0.002;
    $ENV{TEST_NGINX_TIMEOUT}      ||= 10;
    $ENV{TEST_NGINX_FLIQ_DSN}     = $sandbox->{dsn};

    # A sanitized module wants its runtime loaded first.
    my $preload = Fliq::Sandbox::preload($sandbox->{nginx_conf});
    $ENV{TEST_NGINX_LD_PRELOAD} ||= $preload if $preload;
    $ENV{ASAN_OPTIONS} ||= 'detect_leaks=0' if $preload;

    # Where "make test" unpacks it; an installed one is found before.
    push @INC, Fliq::Sandbox::repo() . '/build/test-nginx/usr/share/perl5';

    require Test::Nginx::Util;
    Test::Nginx::Util::master_on();
    Test::Nginx::Util::workers(1);
    Test::Nginx::Util::worker_connections(1024);
    Test::Nginx::Util::log_level('notice');
    Test::Nginx::Util::no_shuffle();
    Test::Nginx::Util::no_root_location();
    Test::Nginx::Util::add_block_preprocessor(\&_complete);
}


# Give a block what it does not say itself.
sub _complete {
    my ($block) = @_;

    _default($block, http_config => $http_config);
    _default($block, config => $config);
    _default($block, more_headers => bearer());
    return if defined $block->must_die;

    _default($block, no_error_log => [$bad]);
    _default($block, no_shutdown_error_log => [$bad]);
}


sub _default {
    my ($block, $section, $value) = @_;

    $block->set_value($section, $value) if !defined $block->$section;
}


sub sandbox { return $sandbox }


sub token { return $sandbox->{token} }


# bearer(token): the line of a header.
sub bearer {
    my ($token) = @_;

    return 'Authorization: Bearer ' . ($token // token());
}


sub json {
    my ($value) = @_;

    return $json->encode($value);
}


# post(fields): a request for a job that is valid but for these fields; one
# that is \undef is left out.
sub post {
    my %fields = (
        url => 'http://127.0.0.1:9/', scheduled_at => '2099-01-01T00:00:00Z',
        @_);

    delete $fields{$_}
        for grep { ref $fields{$_} eq 'SCALAR' && !defined ${ $fields{$_} } }
            keys %fields;

    return "POST /jobs\n" . json(\%fields);
}


# job_id(fields): create such a job, before the tests, and return its id.
sub job_id {
    my (undef, $body) = split /\n/, post(@_), 2;
    my $answer = HTTP::Tiny->new->post("$sandbox->{url}/jobs", {
        headers => { Authorization => 'Bearer ' . token() },
        content => $body,
    });

    return $json->decode($answer->{content})->{id}
        // die "no job: $answer->{content}\n";
}


# bad(status, code, requests): what a block needs to assert that each of
# these requests is refused so: {request, status, body}.
sub bad {
    my ($status, $code, @requests) = @_;
    my $like = qr/^\{"error":\{"code":"$code","message":".+"\}\}$/s;

    return {
        request => \@requests,
        status  => [($status) x @requests],
        body    => [($like) x @requests],
    };
}


# good(status, request, has...): the same for pairs of a request and what
# its answer must be like.
sub good {
    my ($status, @pairs) = @_;
    my @requests = @pairs[grep { $_ % 2 == 0 } 0 .. $#pairs];
    my @likes = @pairs[grep { $_ % 2 } 0 .. $#pairs];

    return {
        request => \@requests,
        status  => [($status) x @requests],
        body    => \@likes,
    };
}


# has(name => value, ...): a regex for a JSON object with these members.
sub has {
    my $all = '';

    while (my ($name, $value) = splice @_, 0, 2) {
        my $like = ref $value eq 'Regexp' ? $value : quotemeta json($value);
        $all .= "(?=.*\"$name\":$like" . '[,}])';
    }

    return qr/^$all\{.*\}$/s;
}


1;
