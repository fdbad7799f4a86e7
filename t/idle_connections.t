# Connections that calls leave behind are used again for a second or two, and
# then closed without waiting for a next call.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";
use Fliq::Test;
use List::Util qw(max min uniq);

my $count = 40;

sandbox(workers => 1);

my $due = at(2);
my @jobs = map { create_job(url => "/slow/300?$_", scheduled_at => $due) }
    1 .. $count;
my @first = target->wait_for($count);
is(scalar(uniq map { $_->{conn} } @first), $count,
   "$count calls at once, each on a connection of its own");

wait_job($_) for @jobs;
wait_job(create_job());
my ($next) = target->to('/ok');
my ($old) = grep { $_->{conn} == $next->{conn} } @first;
ok($old, 'the next call takes one of these');

ok(wait_until(sub { !grep { !defined target->closed($_) } @first }),
   'all are closed, with nothing else to call');

my @idle = map { target->closed($_) - $_->{answered} }
    grep { $_ != $old } @first;
ok(min(@idle) > 1.9, sprintf 'none before two seconds (%.2f)', min @idle);
ok(max(@idle) < wide(4), sprintf 'all within four (%.2f)', max @idle);

wait_job(create_job());
is(scalar(target->to('/ok')), 2, 'calls go on');

finish();
