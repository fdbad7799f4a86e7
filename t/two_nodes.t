# Two nodes on one database share its jobs: each is fired by one of them,
# once, whichever it was created on; and what a node held that crashed is
# fired by the other within 2 seconds.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";
use Fliq::Test;

sandbox(workers => 1);
my $node = Fliq::Node->start(sandbox, workers => 1);


# create_many(port, count, path, due): jobs with paths of their own.
sub create_many ($port, $count, $path, $due) {
    my @answers = load(port => $port, clients => 16)->run(map {
        request_bytes('POST', '/jobs', { url => target->url("$path/$_"),
                                         scheduled_at => stamp($due) })
    } 1 .. $count);

    is(scalar(grep { $_->{status} == 201 } @answers), $count,
       "$count jobs for $path");
}


sub all_ended ($timeout = 10) {
    return wait_until(sub {
        !sql("SELECT count(*) FROM fliq.jobs WHERE status = 'waiting'")
    }, $timeout);
}


# --- one service

my $job = api('POST', '/jobs', { url => target->url('/ok/one'),
                                 scheduled_at => at(0.5) })->{json};
is_status(api('GET', "/jobs/$job->{id}", undef, {}, $node->{url}), 200,
          'a job of one is known to the other');
is(wait_job($job)->{status}, 'success', 'it was executed');


# --- jobs of each, due at once

my $due = time + 6;
create_many(sandbox->{port}, 1000, '/slow/20/a', $due);
create_many($node->{port}, 1000, '/slow/20/b', $due);
ok(all_ended(), 'all have ended');

my $by_path = target->by_path;
my @wrong = grep { @{ $by_path->{$_} } != 1 } keys %$by_path;

is("@wrong", '', 'each was fired once');
is(scalar(keys %$by_path), 2001, 'all were fired');
is(scalar(grep { $_->{time} < $due - 1e-6 } target->matching(qr{^/slow})), 0,
   'none before its time');
is(sql('SELECT count(*), count(DISTINCT job_id) FROM fliq.executions'),
   '2001|2001', 'each has one execution');

my @shares = sql("SELECT count(*) FROM fliq.executions
                   WHERE job_id IN (SELECT id FROM fliq.jobs
                                     WHERE url LIKE '%/slow/%')
                   GROUP BY owner_id ORDER BY 1");
is(scalar(@shares), 2, "both nodes took part: @shares");


# --- a job created on one while the other is the one that has time

my $lone = api('POST', '/jobs', { url => target->url('/ok/lone'),
                                  scheduled_at => at(1.5) })->{json};
kill STOP => sandbox->workers;
my ($request) = target->wait_for(1, '/ok/lone', 5);
kill CONT => sandbox->workers;

ok($request && $request->{time} - seconds($lone->{scheduled_at}) < 1.2,
   'the slow poll of the other found it');
is(wait_job($lone)->{status}, 'success', 'and recorded it');


# --- a node that fires nothing

my $quiet = Fliq::Node->start(sandbox, edit => sub {
    $_[0] =~ s/fliq_dispatcher on/fliq_dispatcher off/;
});
my $other = api('POST', '/jobs', { url => target->url('/ok/quiet'),
    scheduled_at => at(0.5) }, {}, $quiet->{url})->{json};
($request) = target->wait_for(1, '/ok/quiet', 5);

ok($request && $request->{time} - seconds($other->{scheduled_at}) < 1.2,
   'fliq_dispatcher off: the others fire its jobs');
is(wait_job($other)->{status}, 'success', 'and record them');


# --- one crashes: it holds all of them, for the other was stopped meanwhile

kill STOP => sandbox->workers;
create_many($node->{port}, 200, '/slow/3000/crash', time + 1);
is(scalar(wait_until(sub {
    my @all = target->matching(qr{/crash/});
    return @all == 200 ? scalar @all : 0;
})), 200, '200 are in flight');
kill CONT => sandbox->workers;

my $crashed = time;
$node->crash;
ok(all_ended(), 'all have ended');

my @again = grep { $_->{time} > $crashed } target->matching(qr{/crash/});
my ($last) = sort { $b <=> $a } map { $_->{time} - $crashed } @again;

is(scalar(@again), 200, 'they were fired again');
ok($last < 2, sprintf 'the last of them after %.2f s', $last);
is(sql("SELECT count(*) FROM fliq.jobs
         WHERE status = 'success' AND attempts = 1
           AND url LIKE '%/crash/%'"), 200, 'all are success');

finish();
