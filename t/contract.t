# Each row of the route table has one file in t/contract, and each of these
# a row.

use v5.36;

use FindBin;
use Test::More;


sub text ($path) {
    open my $in, '<', $path or die "$path: $!\n";
    local $/;
    return scalar <$in>;
}


my $table = text("$FindBin::Bin/../src/api/ngx_http_fliq_route.c");
my %file;

for my $path (glob "$FindBin::Bin/contract/*.t") {
    my ($route) = text($path) =~ /^route\('(\S+ \S+)'/m;
    my $name = $path =~ s{.*/}{}r;

    ok(defined $route && !$file{$route}, "$name has a route of its own");
    $file{$route // ''} = $name;
}

my @routes = map { /NGX_HTTP_(\w+), "(\S+)"/ ? "$1 $2" : () }
             $table =~ /\{ (NGX_HTTP_\w+, "\/\S+")/g;

ok(@routes > 40, 'the table is read');
is_deeply([sort keys %file], [sort @routes], 'they are the same');

done_testing();
