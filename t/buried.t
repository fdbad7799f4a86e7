# A dispatcher that others have buried, whose jobs they have not yet made due
# again: the outcome that it brings then changes nothing, and least of all does
# it end the claim by which its job is found.  The job is fired again.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/lib";
use Fliq::Test;

sandbox(workers => 1);

my ($worker) = sandbox->workers;
my $job = create_job(url => '/slow/300');

ok(wait_until(sub { target->requests == 1 }), 'a job is in flight');
kill STOP => $worker;
is(scalar sql('WITH gone AS (DELETE FROM fliq.owners RETURNING 1)
               SELECT count(*) FROM gone'), 1, 'its dispatcher is buried');
ok(wait_until(sub { (target->requests)[0]{answered} }), 'it is answered');
kill CONT => $worker;

is(wait_job($job)->{status}, 'success', 'the job is fired');
my @executions = executions($job);
is(scalar @executions, 1, 'what the first call brought is not recorded');
is(scalar(target->requests), 2, 'it is called again');
is($executions[0]{attempt_num}, 1, 'as the same attempt');
is(sql('SELECT count(*) FROM fliq.claims'), 0, 'no claim is left');

finish();
