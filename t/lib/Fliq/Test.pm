package Fliq::Test;

# What the plain .t files share: one sandbox (or more), an API client, and
# waiting for events.  A test file ends with finish(), which stops its
# sandboxes, asserts that their logs are clean, and ends the plan.
#
#   use FindBin;
#   use lib "$FindBin::Bin/lib";
#   use Fliq::Test;
#
#   sandbox(workers => 2);
#   my $job = create_job(url => target()->url('/ok'));
#   wait_until(sub { get_job($job)->{status} eq 'success' });
#   finish();

use v5.36;

use Exporter qw(import);
use JSON::PP ();
use POSIX qw(strftime);
use Test::More;
use Time::HiRes qw(sleep time);

use Fliq::Load;
use Fliq::Node;
use Fliq::Sandbox;
use Fliq::Target;

our @EXPORT = (@Test::More::EXPORT, qw(
    sandbox target api get_job create_job executions wait_until wait_job
    hurry wide sql at stamp seconds is_error is_status finish load halt
    request_bytes time sleep
));

my $json = JSON::PP->new->utf8->allow_nonref;
my ($sandbox, $target);
my $main = $$;
my %api;               # by process and port: one client


# sandbox(options): start one with these options (see Fliq::Sandbox), or
# return the one that was started first.
sub sandbox (@options) {
    return $sandbox if $sandbox && !@options;

    my $new = Fliq::Sandbox->start(@options);
    $sandbox //= $new;
    return $new;
}


# target(): the target server, started at the first call.
sub target () {
    die "target() was first called in a child\n" if !$target && $$ != $main;
    $target //= Fliq::Target->start;
    return $target;
}


# api(method, path, body, headers, url): one request with the sandbox's
# token.  body is text, or what becomes JSON; a header that is undef is left
# out.  Returns {status, headers, content, json, seconds}.
sub api ($method, $path, $body = undef, $headers = {}, $url = undef) {
    my %headers = (Authorization => "Bearer $sandbox->{token}", %$headers);
    my ($port) = ($url // $sandbox->{url}) =~ /:(\d+)\z/;

    delete $headers{$_} for grep { !defined $headers{$_} } keys %headers;
    $body = $json->encode($body) if ref $body;
    $body //= '';

    my ($answer) = ($api{$$}{$port} //= load(port => $port, clients => 1))
        ->run(Fliq::Load::request($method, $path, \%headers, $body));

    return {
        status => $answer->{status}, seconds => $answer->{seconds},
        headers => headers($answer->{head} // ''),
        content => $answer->{body} // $answer->{error},
        json => scalar eval { $json->decode($answer->{body}) },
    };
}


# headers(head): those of an answer, by lower-case name.
sub headers ($head) {
    return { map { /^([^:]+):[ \t]*(.*)/ ? (lc $1, $2) : () }
             split /\r\n/, $head };
}


# at(seconds): an RFC 3339 timestamp that much after now.
sub at ($seconds) {
    return stamp(time + $seconds);
}


# stamp(time): the RFC 3339 timestamp of a Unix time.
sub stamp ($time) {
    my $usec = int($time * 1e6);

    return strftime('%Y-%m-%dT%H:%M:%S', gmtime int($usec / 1e6))
           . sprintf '.%06dZ', $usec % 1_000_000;
}


# seconds(timestamp): Unix time of one that the API made, or undef.
sub seconds ($text) {
    return undef if !defined $text;

    my ($y, $mo, $d, $h, $mi, $s, $f) = $text =~
        /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d+)?Z\z/ or return;

    require Time::Local;
    return Time::Local::timegm_modern($s, $mi, $h, $d, $mo - 1, $y)
           + ($f // 0);
}


# create_job(fields): POST it; by default it is due at once, which a busy
# machine may take some attempts for.  The url may be a path of the target.
# Returns the job; dies when it is refused.
sub create_job (%fields) {
    my $soon = delete $fields{soon} // 0.05;
    my $answer;

    $fields{url} //= '/ok';
    $fields{url} = target->url($fields{url}) if $fields{url} =~ m{^/};

    for (1 .. 5) {
        my $at = $fields{scheduled_at} // at($soon);
        $answer = api('POST', '/jobs', { %fields, scheduled_at => $at });

        return $answer->{json} if $answer->{status} == 201;
        last if $fields{scheduled_at}
                || $answer->{content} !~ /invalid_scheduled_at/;
        $soon *= 2;
    }

    die "POST /jobs: $answer->{status} $answer->{content}\n";
}


sub get_job ($job) {
    return api('GET', "/jobs/$job->{id}")->{json};
}


sub executions ($job) {
    my $answer = api('GET', "/jobs/$job->{id}/executions");
    return @{ $answer->{json}{executions} // [] };
}


# wait_until(condition, timeout): ask every 10 ms until it is true, and
# return what it said; false when the time ran out.
sub wait_until ($condition, $timeout = 10) {
    my $end = time + $timeout;

    while (1) {
        my $value = $condition->();

        return $value if $value || time >= $end;
        sleep 0.01;
    }
}


# wait_job(job, status, timeout): wait until it is success or failed, or has
# another status that is named; return it as it is then.
sub wait_job ($job, $status = qr/^(?:success|failed)\z/, $timeout = 10) {
    my $now;

    wait_until(sub {
        $now = get_job($job);
        return ($now->{status} // '') =~ $status;
    }, $timeout);

    return $now;
}


# hurry(job): it is due now, as the database has it; workers see that when
# they next look, which is within seconds.
sub hurry ($job) {
    sql("WITH job AS (UPDATE fliq.jobs SET due_at = now()
                       WHERE fliq.id_text('job', id) = '$job->{id}'
                   RETURNING id)
         UPDATE fliq.due SET due_at = now() FROM job WHERE job_id = job.id");
}


# wide(bound): a bound on the time or the memory of a usual nginx, or what it
# is for a sanitized one, which keeps what is freed for a while.
sub wide ($bound) {
    return $bound * ($ENV{FLIQ_TEST_WIDE} // 1);
}


sub sql ($query) {
    return $sandbox->sql($query);
}


sub is_status ($answer, $status, $name) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;

    return is($answer->{status}, $status, $name)
        || diag($answer->{content});
}


# is_error(answer, status, code, name): that and the error's shape.
sub is_error ($answer, $status, $code, $name) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $error = ref $answer->{json} eq 'HASH' ? $answer->{json}{error} : '';

    return is_deeply(
        [$answer->{status}, ref $error eq 'HASH' ? $error->{code} : $error],
        [$status, $code], "$name: $status $code")
        || diag($answer->{content});
}


# load(options): many clients of the sandbox at once (see Fliq::Load).
sub load (%opt) {
    return Fliq::Load->new(port => $sandbox->{port}, %opt);
}


# halt(handle): end a load in the background; the answers.
sub halt ($handle) {
    return Fliq::Load::halt($handle);
}


# request_bytes(method, path, body, headers): a request for load().
sub request_bytes ($method, $path, $body = '', $headers = {}) {
    return Fliq::Load::request($method, $path,
        { Authorization => "Bearer $sandbox->{token}", %$headers },
        ref $body ? $json->encode($body) : $body);
}


# finish(regexes): what every test file ends with.  The log lines that a
# test provokes on purpose are named.
sub finish (@allowed) {
    for my $sandbox (reverse(Fliq::Sandbox->started)) {
        $sandbox->stop;

        my @bad = $sandbox->bad_lines(@allowed);
        is(join("\n", @bad), '', 'the logs are clean');
    }

    done_testing();
}


1;
