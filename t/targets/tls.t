# Nobody is told anything over TLS whose certificate is not valid for the
# name: by no job, webhook, alert or buffer.  One that is valid is.

use v5.36;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Buffers;
use Fliq::Port qw(free_port);
use Fliq::Preload;
use Fliq::Test;

my $dir = File::Temp->newdir('fliq-tls-XXXXXX', TMPDIR => 1);
my $log = "$dir/access.log";
my $key = '-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes';

chmod 0755, $dir;


# --- certificates

sub openssl ($arguments) {
    system("openssl $arguments > $dir/openssl.log 2>&1") == 0
        or die "openssl $arguments: ",
               Fliq::Sandbox::slurp("$dir/openssl.log");
}


sub authority ($name) {
    openssl("req -x509 $key -days 2 -batch -subj /CN=$name"
            . " -keyout $dir/$name.key -out $dir/$name.pem");
}


# certificate(name, authority, subject, days): of this authority, or of its
# own.
sub certificate ($name, $authority, $subject, $days = 2) {
    openssl("req $key -batch -subj /CN=$name"
            . " -keyout $dir/$name.key -out $dir/$name.csr");

    open my $out, '>', "$dir/$name.ext" or die "$name.ext: $!\n";
    print {$out} "subjectAltName=$subject\n";
    close $out;

    my $sign = $authority eq $name ? "-signkey $dir/$name.key"
             : "-CA $dir/$authority.pem -CAkey $dir/$authority.key";

    openssl("x509 -req -in $dir/$name.csr $sign -set_serial " . ++(state $n)
            . " -days $days -extfile $dir/$name.ext -out $dir/$name.pem");
}


authority($_) for qw(trusted nobody);

my $here = 'IP:127.0.0.1,DNS:localhost';

certificate('valid', 'trusted', $here);
certificate('expired', 'trusted', $here, -1);
certificate('self', 'self', $here);
certificate('stranger', 'nobody', $here);
certificate('name', 'trusted', 'DNS:elsewhere.example,IP:127.0.0.2');
certificate('no-name', 'trusted', 'DNS:127.0.0.1');

# name, certificate, more of the server, what the error says
my @servers = (
    ['valid', 'valid', '', undef],
    ['expired', 'expired', '', 'certificate is not valid'],
    ['self-signed', 'self', '', 'certificate is not valid'],
    ['of a stranger', 'stranger', '', 'certificate is not valid'],
    ['for another name', 'name', '', 'certificate is not valid'],
    ['for no address', 'no-name', '', 'certificate is not valid'],
    ['of TLS 1.1', 'valid', 'ssl_protocols TLSv1.1;
      ssl_ciphers ALL:@SECLEVEL=0;', 'handshake failed'],
);
my %port = map { $_->[0] => free_port() } @servers;


# --- an nginx that trusts one of them

preload('targets/authority.c', FLIQ_AUTHORITY => "$dir/trusted.pem");
sandbox(http_conf => 'fliq_webhook_timeout 2s;' . join '', map {
    my ($name, $certificate, $more) = @$_;

    <<"CONF";
    server {
        listen 127.0.0.1:$port{$name} ssl;
        ssl_certificate $dir/$certificate.pem;
        ssl_certificate_key $dir/$certificate.key;
        $more
        access_log $log;
        location / { return 200; }
    }
CONF
} @servers);


# whoever asked with a path that matches; what has ended is in the log.
sub asked ($regex) {
    return grep { $_ =~ $regex }
           Fliq::Sandbox::slurp($log) =~ m{"[A-Z]+ (/\S*) HTTP}g;
}


sub outbox_empty () {
    return wait_until(sub { !sql('SELECT count(*) FROM fliq.outbox') });
}


# --- jobs, webhooks and buffers

my $mute = Fliq::Target->start;
my @cases = (
    (map { [$_->[0], "https://127.0.0.1:$port{$_->[0]}", $_->[3]] } @servers),
    ['valid for a name', "https://localhost:$port{valid}", undef],
    ['no TLS', 'https://127.0.0.1:' . sandbox->{port}, 'handshake failed'],
    ['a handshake that stalls', $mute->url('') =~ s/^http/https/r,
     'timed out'],
);

for my $case (@cases) {
    my ($name, $url, $error) = @$case;
    my $path = $name =~ s/\W+/-/gr;
    my $status = defined $error ? 'failed' : 'success';
    my $timeout = ($error // '') eq 'timed out' ? 1 : 10;
    my $end = wait_job(create_job(
        url => "$url/job/$path", webhook_url => "$url/webhook/$path",
        timeout_seconds => $timeout));

    is($end->{status}, $status, "$name: a job: $status");
    my $says = $error // '^none$';
    like($end->{last_error} // 'none', qr/$says/, "$name: what it says");

    my $buffer = make_buffer(url => "$url/item/$path", timeout_seconds => $timeout,
                             max_retries => 0);
    is_status(api('POST', "/buffers/$buffer->{id}/items", { body => 'x' }),
              201, "$name: an item");
    ok(drained(), "$name: it is tried");
    my $stats = api('GET', "/buffers/$buffer->{id}/stats")->{json};
    is($stats->{defined $error ? 'failed' : 'completed'}, 1,
       "$name: an item: " . (defined $error ? 'failed' : 'completed'));
}

# --- alerts

for my $case (@cases) {
    my $path = $case->[0] =~ s/\W+/-/gr;

    is_status(api('POST', '/alerts', { type => 'webhook',
              target => "$case->[1]/alert/$path" }), 201, "$path: a channel");
}

wait_job(create_job(url => '/status/500'));
ok(outbox_empty(), 'webhooks and alerts are tried');


# --- who was told

wait_until(sub { asked(qr/^/) >= 8 });
is_deeply([sort(asked(qr/^/))],
          [map { ("/$_/valid", "/$_/valid-for-a-name") }
           qw(alert item job webhook)],
          'all of it went to the valid ones, and nothing to others');
is(scalar($mute->requests), 0, 'nothing to where there is no TLS');

finish();
