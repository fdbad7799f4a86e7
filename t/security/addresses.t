# What names an address that is not allowed is not stored, whatever it is
# written like and whichever call it is for; what could lead a call elsewhere
# (proxies, netrc, cookies, HSTS, Alt-Svc) is not looked at; and a connection
# is not used again that a new policy forbids.  For names see resolver.t.

use v5.36;
use utf8;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Fliq::Test;
use Fliq::Sink;

my $trap = Fliq::Sink->start;
my $sink = Fliq::Sink->start(answer => \&answer);

my $retry = 'fliq_retry base=100ms max=1s jitter=0%;';


# Answers that would have a browser come back in another way.
sub answer ($request) {
    my $status = $request =~ m{^\S+ /env/denied} ? '401 Unauthorized'
               : $request =~ m{^\S+ /env/proxied} ? '407 Proxy' : '200 OK';

    return "HTTP/1.1 $status\r\nContent-Length: 0\r\n"
        . "Set-Cookie: trap=1; Path=/; Domain=127.0.0.1\r\n"
        . "Strict-Transport-Security: max-age=9999; includeSubDomains\r\n"
        . 'Alt-Svc: h1=":' . $trap->port . "\"; ma=9999\r\n"
        . "WWW-Authenticate: Basic realm=\"x\"\r\n"
        . "Proxy-Authenticate: Basic realm=\"x\"\r\n\r\n";
}


sandbox(workers => 1, strict => 1, http_conf => $retry);

# --- hosts in odd forms, for every call there is

my @odd = (
    'http:/127.0.0.1/', 'http:127.0.0.1/', 'http:///127.0.0.1/',
    'http:\\\\127.0.0.1\\', 'http:/\\127.0.0.1/', '//127.0.0.1/',
    '/', '127.0.0.1', '', 'http://', 'http:///', 'http://:80/',
    'http://127.1/', 'http://127.0.1/', 'http://0x7f.1/', 'http://0/',
    'http://2130706433/', 'http://0x7f000001/', 'http://017700000001/',
    'http://00000000177.1/', 'http://127.0.0.1./', 'http://0x7F.0.0.0x1/',
    'http://%31%32%37.0.0.1/', 'http://127%2e0.0.1/', 'http://127.0.0.1%00/',
    'http://127.0.0.1%23.example/', 'http://[::1]/', 'http://[::]/',
    'http://[::ffff:127.0.0.1]/', 'http://[0:0:0:0:0:ffff:7f00:1]/',
    'http://[::ffff:0:127.0.0.1]/', 'http://[::1%25lo]/',
    'http://[::1%lo]/', 'http://[fe80::1%25eth0]/', 'http://[127.0.0.1]/',
    'http://[64:ff9b::169.254.169.254]/', 'http://[2002:a9fe:a9fe::]/',
    'http://[::1/', 'http://::1/', 'http://[::1]x/', 'http://[::1]:/',
    'http://8.8.8.8@127.0.0.1/', 'http://127.0.0.1\\@8.8.8.8/',
    'http://a:b@8.8.8.8/', 'http://@8.8.8.8/', 'http://8.8.8.8\\.example/',
    'http://8.8.8.8:80:81/', 'http://8.8.8.8:/', 'http://8.8.8.8:65536/',
    'http://8.8.8.8:0/', 'http://8.8.8.8:-1/', 'http://8.8.8.8: 80/',
    'http://127.0.0.1 .example/', "http://127.0.0.1\t/", "http://8.8.8.8\n/",
    "http://8.8.8.8/\r\nX: y", "\x{1}http://8.8.8.8/", ' http://8.8.8.8/',
    'http://１２７.0.0.1/', 'http://127。0。0。1/', 'http://127｡0.0.1/',
    'http://①②⑦.0.0.1/', 'http://ⓛocalhost/', 'http://locaｌhost/',
    'http://loc\u00adalhost/', 'http://１６９.254.169.254/', 'http://[：：１]/',
    'file:///etc/passwd', 'gopher://8.8.8.8/', 'dict://8.8.8.8/',
    'ftp://8.8.8.8/', 'unix:/run/x', 'http+unix://%2Frun%2Fx/', 'ws://8.8.8.8/',
    'httpx://8.8.8.8/', 'ht tp://8.8.8.8/', 'data:,x', 'javascript:x',
    'HTTP://127.0.0.1/', 'hTTpS://LOCALHOST@127.0.0.1/',
);

my $schedule = api('POST', '/schedules', {
    url => 'http://8.8.8.8/', cron => '@yearly' })->{json};
my %job = (url => 'http://8.8.8.8/', scheduled_at => at(9999));
my %cron = (url => 'http://8.8.8.8/', cron => '@yearly');
my %stream = (url => 'http://8.8.8.8/', name => 'odd');

for (
    ['POST /jobs', 'url', %job],
    ['POST /jobs', 'webhook_url', %job],
    ['POST /schedules', 'url', %cron],
    ['POST /schedules', 'webhook_url', %cron],
    ["PATCH /schedules/$schedule->{id}", 'url'],
    ["PATCH /schedules/$schedule->{id}", 'webhook_url'],
    ['POST /buffers', 'url', %stream],
    ['POST /buffers', 'webhook_url', %stream],
    ['POST /alerts', 'target', type => 'webhook'],
    ['POST /alerts', 'target', type => 'slack'],
) {
    my ($route, $name, %fields) = @$_;
    my ($method, $path) = split / /, $route;
    my @taken = grep {
        my $answer = api($method, $path, { %fields, $name => $_ });
        $answer->{status} != 400
            || $answer->{json}{error}{code} ne "invalid_$name";
    } @odd;

    is(join(" ", @taken), "", ($route =~ s{/sched_.*}{/{id}}r)
       . ": no $name of an odd form is taken");
}

is_deeply([map { sql("SELECT count(*) FROM fliq.$_") }
           qw(jobs schedules buffers alert_channels)], [0, 1, 0, 0],
          'nothing was stored');
is(scalar($sink->connections), 0, 'nothing was called');


# --- a policy that a reload brings holds at once, for what is open, too

sandbox->set_http_conf("$retry fliq_target_allow 127.0.0.0/8;");
ok(wait_until(sub {
    api('POST', '/alerts', { type => 'webhook',
                             target => $sink->url('/alert') })->{status}
        == 201
}), 'the loopback is allowed');

my $target = $sink->url('/kept', 'localhost');
is(wait_job(create_job(url => $target))->{status}, 'success', 'and called');
wait_job(create_job(url => $target));

my $buffer = api('POST', '/buffers', {
    name => 'kept', url => $sink->url('/item'), max_retries => 0 })->{json};
my $slow = create_job(url => target->url('/slow/1500'));
target->wait_for(1);

# As many as find the old worker's connections open, and its slow job.
my @later = map {
    create_job(url => $_ % 2 ? $target : $sink->url('/kept'), soon => $_ / 5,
               webhook_url => $sink->url('/hook'))
} 1 .. 20;
sandbox->set_http_conf("$retry fliq_target_deny 127.0.0.0/8;");
my $reloaded = time;
my $item = api('POST', "/buffers/$buffer->{id}/items", {})->{json};

wait_job($_) for $slow, @later;
my @after = grep { seconds($_->{started_at}) > $reloaded }
            map { get_job($_) } @later;
ok(@after > 0, scalar(@after) . ' jobs after the reload');
is(join(', ', grep { $_ ne "the target's address is not allowed" }
              map { $_->{last_error} // $_->{status} } @after), '',
   'none of them was let through');

ok(wait_until(sub { sql('SELECT count(*) FROM fliq.outbox') == 0 }),
   'webhooks and alerts have had their try');
is(api('GET', "/buffers/$buffer->{id}/items/$item->{id}")->{json}{last_error},
   "the target's address is not allowed", 'nor was an item');
is(scalar(grep { $_->{line} =~ m{/(?:hook|alert|item)} } $sink->requests),
   scalar($sink->to('/hook')), 'nor an alert');
ok(scalar($sink->to('/hook')) <= @later - @after, 'nor a webhook');



# --- nothing around nginx leads a call elsewhere

# start_trapped(): a node, alone, with traps in its environment.
sub start_trapped () {
    my $home = sandbox->{root} . '/home';
    my $proxy = $trap->url('');
    my %env = (
        (map { ($_ => $proxy, uc $_ => $proxy) }
             qw(http_proxy https_proxy all_proxy ftp_proxy)),
        no_proxy => 'example.com', NO_PROXY => 'example.com',
        HOME => $home, CURL_HOME => $home, XDG_CONFIG_HOME => $home,
        NETRC => "$home/.netrc",
    );

    mkdir $home;
    put("$home/.netrc", "machine 127.0.0.1 login me password secret\n"
                        . "default login me password secret\n");
    put("$home/$_", "proxy = $proxy\nnetrc\nlocation\n"
                    . "header = \"X-Trap: 1\"\ncookie = \"trap=1\"\n")
        for qw(.curlrc curlrc);
    put("$home/.curl-hsts", "127.0.0.1 \"20991231 00:00:00\"\n");

    sandbox->set_http_conf("$retry fliq_target_allow 127.0.0.0/8;");
    sandbox->stop_nginx;
    local @ENV{keys %env} = values %env;

    system 'curl', '-s', '-o', '/dev/null', $sink->url('/control');

    return Fliq::Node->launch(sandbox, main => join '', map { "env $_;\n" }
                                                        sort keys %env);
}


sub put ($path, $text) {
    open my $out, '>', $path or die "$path: $!\n";
    print {$out} $text;
    close $out;
    chmod 0644, $path;
}


# One call of each kind, twice: the first answer sets the traps.
sub call_all ($node) {
    my $ask = sub ($method, $path, $body = undef) {
        my $answer = api($method, $path, $body, {}, $node->{url});
        die "$path: $answer->{content}\n" if $answer->{status} != 201;
        return $answer->{json};
    };

    $ask->('POST', '/alerts', { type => $_, target => $sink->url('/env/alert')
    }) for qw(webhook slack);
    my $stream = $ask->('POST', '/buffers', {
        name => 'env', url => $sink->url('/env/item') });

    for my $n (1, 2) {
        $ask->('POST', '/jobs', {
            url => $sink->url("/env/$_"), scheduled_at => at(0.3 + $n / 5),
            webhook_url => $sink->url('/env/hook') })
            for qw(ok denied proxied);
        $ask->('POST', "/buffers/$stream->{id}/items", {});
    }

    # Of each two ok, two denied, two proxied jobs the last four fail.
    my %want = (ok => 2, denied => 2, proxied => 2, item => 2, hook => 6,
                alert => 8);
    is(scalar($sink->wait_for($want{$_}, "/env/$_")), $want{$_},
       "$_: all are called") for sort keys %want;
}

my $node = start_trapped();
$node->await;

my ($caught) = $trap->wait_for(1);
like($caught->{raw} // '', qr/^Cookie: trap=1/m,
     'the traps would catch curl itself');

call_all($node);

is(scalar($trap->connections), 1, 'nobody has asked a proxy');

my @all = grep { $_->{line} =~ m{/env/} } $sink->requests;
is(join(', ', grep { !m{^\w+ /env/\w+ HTTP/1\.1$} }
              map { $_->{line} } @all), '', 'all requests are plain');
is(join(', ', grep { /^(?:authorization|cookie|proxy-|x-trap|via)/i }
              map { @{ $_->{headers} } } @all), '',
   'and carry nothing that was lying around');

finish();
