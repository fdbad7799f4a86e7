# The statements and migrations as C: rules for fliq_sql.h and fliq_sql.c.
# The description of the API as C: fliq_openapi.c.

cat << END                                                    >> $NGX_MAKEFILE

fliq_sql = $ngx_addon_dir/src/store/sql

$NGX_OBJS/fliq_sql.h:	\\
	$ngx_addon_dir/src/store/embed.awk \$(wildcard \$(fliq_sql)/*.sql)
	LC_ALL=C awk -v header=1 -f \$< \$(sort \$(wildcard \$(fliq_sql)/*.sql)) \\
		> \$@

$NGX_OBJS/fliq_sql.c:	\\
	$ngx_addon_dir/src/store/embed.awk \\
	\$(wildcard \$(fliq_sql)/*.sql \$(fliq_sql)/migrations/*.sql)
	LC_ALL=C awk -f \$< \$(sort \$(wildcard \$(fliq_sql)/*.sql)) \\
		\$(sort \$(wildcard \$(fliq_sql)/migrations/*.sql)) > \$@

$NGX_OBJS/fliq_openapi.c:	\\
	$ngx_addon_dir/src/api/openapi.pl $ngx_addon_dir/docs/openapi.yaml
	perl \$^ > \$@.new
	mv \$@.new \$@

END
