# A new binary takes over from the running one (USR2, WINCH, QUIT) under load;
# another one does and is taken back (USR2, WINCH, HUP to the old one, QUIT to
# the new one): not one API request fails, nothing is fired twice, nothing is
# lost.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Faults;
use Fliq::Test;

sandbox(workers => 2, http_conf => Fliq::Faults::CONF);

my $faults = Fliq::Faults->new;
my $pid_file = sandbox->{dir} . '/nginx.pid';

$faults->share({ keepalive => 0 }, { keepalive => 1 });


# The workers of a master that are not shutting down.
sub workers_of ($master) {
    return grep { Fliq::Sandbox::title($_) =~ /^nginx: worker process\0*\z/ }
           Fliq::Sandbox::children($master);
}


sub two_workers ($master, $name) {
    ok(wait_until(sub { workers_of($master) == 2 }), "$name: two workers");
    return workers_of($master);
}


# upgrade(name): start a second master; returns its number.
sub upgrade ($name) {
    kill USR2 => sandbox->{nginx_pid};
    ok(wait_until(sub { -s "$pid_file.oldbin" && -s $pid_file }),
       "$name: a second master");

    chomp(my $new = Fliq::Sandbox::slurp($pid_file));
    two_workers($new, $name);
    return $new;
}


# Its workers end, gracefully; it stays.
sub winch ($master, $name) {
    my @old = workers_of($master);

    kill WINCH => $master;
    ok(Fliq::Sandbox::await_end($_), "$name: an old worker ends") for @old;
}


sub quit ($master, $name) {
    kill QUIT => $master;
    ok(Fliq::Sandbox::await_end($master), "$name: a master ends");
}


for my $round (1 .. Fliq::Faults::rounds()) {
    $faults->begin(10);
    $faults->after(0.5, 1.5);

    my $old = sandbox->{nginx_pid};
    my $new = upgrade("$round: there");
    winch($old, "$round: there");
    quit($old, "$round: there");
    sandbox->{nginx_pid} = $new;

    $faults->after(0.5, 1.5);
    my $other = upgrade("$round: back");
    winch($new, "$round: back");
    kill HUP => $new;
    two_workers($new, "$round: back");
    quit($other, "$round: back");
    ok(wait_until(sub { -s $pid_file && !-e "$pid_file.oldbin" }),
       "$round: the old one is the only one");

    my $found = $faults->settle;
    my @failed = $faults->failed;

    is("@failed", '', "$round: no request failed");
    $faults->is_clean($found, "$round: upgrades");
    is(scalar @{ $found->{again} }, 0, "$round: nothing was fired twice");
}

finish();
