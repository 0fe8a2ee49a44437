# Debian packages: `cpack` in a build directory of preset "release" makes
# postern-gateway, postern-engine and, with its sources, postern. Not for
# `cmake --install`: paths are those of packages.
#
# postern-runner is in both packages, beside the executable that starts it:
# gateway and engine may be upgraded one after the other.
set(POSTERN_DEB_REVISION 1 CACHE STRING "Debian revision of the packages")
set(package_dir ${CMAKE_BINARY_DIR}/package)

# They link to each other.
set(guides OPERATING SECURITY CONFIGURATION-API HTTP-API PORTING
	WRITING-SCRIPTS TESTING-SCRIPTS SCRIPT-API FIGURES EXECUTION-COST)
list(TRANSFORM guides REPLACE "(.+)" "docs/\\1.md")

# package_link(COMPONENT DIRECTORY NAME TARGET)
function(package_link component directory name target)
	file(MAKE_DIRECTORY ${package_dir}/${component})
	file(CREATE_LINK ${target} ${package_dir}/${component}/${name}
		SYMBOLIC)
	install(FILES ${package_dir}/${component}/${name}
		DESTINATION ${directory} COMPONENT ${component})
endfunction()

# package_documents(COMPONENT FILE...): with copyright and changelog.
function(package_documents component)
	set(doc usr/share/doc/postern-${component})
	if(component STREQUAL postern)
		set(doc usr/share/doc/postern)
	endif()
	install(FILES ${package_dir}/changelog.Debian.gz
		${package_dir}/changelog.gz
		${CMAKE_SOURCE_DIR}/systemd/debian/copyright ${ARGN}
		DESTINATION ${doc} COMPONENT ${component})
endfunction()

# package_service(COMPONENT UNIT...)
function(package_service component)
	set(name postern-${component})
	set(source ${CMAKE_SOURCE_DIR}/systemd)
	install(TARGETS ${name} postern-runner
		DESTINATION usr/lib/${name} COMPONENT ${component})
	package_link(${component} usr/sbin ${name} ../lib/${name}/${name})
	list(TRANSFORM ARGN PREPEND ${source}/)
	install(FILES ${ARGN}
		DESTINATION lib/systemd/system COMPONENT ${component})
	install(FILES ${source}/${name}.sysusers RENAME ${name}.conf
		DESTINATION usr/lib/sysusers.d COMPONENT ${component})
	install(FILES ${source}/${name}.tmpfiles RENAME ${name}.conf
		DESTINATION usr/lib/tmpfiles.d COMPONENT ${component})
	install(FILES ${source}/${component}.conf
		DESTINATION etc/postern COMPONENT ${component})
	install(FILES ${source}/debian/${component}.overrides RENAME ${name}
		DESTINATION usr/share/lintian/overrides
		COMPONENT ${component})
	foreach(script postinst prerm postrm conffiles)
		configure_file(${source}/debian/${component}.${script}
			${package_dir}/${component}/${script} COPYONLY)
		list(APPEND control ${package_dir}/${component}/${script})
	endforeach()
	string(TOUPPER ${component} upper)
	set(CPACK_DEBIAN_${upper}_PACKAGE_CONTROL_EXTRA "${control}"
		PARENT_SCOPE)
	set(CPACK_DEBIAN_${upper}_PACKAGE_NAME ${name} PARENT_SCOPE)
	set(CPACK_DEBIAN_${upper}_PACKAGE_DEPENDS
		"systemd (>= 252)" PARENT_SCOPE)
endfunction()

# The postern command: its page and completions are what it says itself.
function(package_command)
	set(made ${package_dir}/postern)
	file(MAKE_DIRECTORY ${made})
	add_custom_command(
		OUTPUT ${made}/postern.1.gz ${made}/postern ${made}/_postern
			${made}/postern.fish
		COMMAND gzip -9nc ${CMAKE_BINARY_DIR}/share/man/man1/postern.1
			> ${made}/postern.1.gz
		COMMAND postern completion bash > ${made}/postern
		COMMAND postern completion zsh > ${made}/_postern
		COMMAND postern completion fish > ${made}/postern.fish
		DEPENDS postern postern-manual VERBATIM)
	add_custom_target(postern-package ALL
		DEPENDS ${made}/postern.1.gz ${made}/postern)
	install(TARGETS postern DESTINATION usr/bin COMPONENT postern)
	install(FILES ${made}/postern.1.gz
		DESTINATION usr/share/man/man1 COMPONENT postern)
	install(FILES ${made}/postern COMPONENT postern
		DESTINATION usr/share/bash-completion/completions)
	install(FILES ${made}/_postern COMPONENT postern
		DESTINATION usr/share/zsh/vendor-completions)
	install(FILES ${made}/postern.fish COMPONENT postern
		DESTINATION usr/share/fish/vendor_completions.d)
	install(FILES ${CMAKE_SOURCE_DIR}/systemd/debian/postern.overrides
		RENAME postern DESTINATION usr/share/lintian/overrides
		COMPONENT postern)
	package_documents(postern ${guides} docs/LOCAL-ENGINE.md
		docs/postern.d.ts)
	install(DIRECTORY docs/example-scripts
		DESTINATION usr/share/doc/postern/examples COMPONENT postern)
	set(CPACK_COMPONENTS_ALL gateway engine postern PARENT_SCOPE)
endfunction()

configure_file(systemd/debian/changelog.in ${package_dir}/changelog.Debian)
execute_process(COMMAND gzip -9nf ${package_dir}/changelog.Debian
	COMMAND_ERROR_IS_FATAL ANY)
configure_file(CHANGELOG.md ${package_dir}/changelog COPYONLY)
execute_process(COMMAND gzip -9nf ${package_dir}/changelog
	COMMAND_ERROR_IS_FATAL ANY)

package_service(gateway postern-gateway.service)
package_documents(gateway ${guides}
	docs/METRICS.md docs/grafana-dashboard.json)
install(PROGRAMS systemd/postern-pki
	DESTINATION usr/sbin COMPONENT gateway)
install(FILES systemd/gateway-network.conf RENAME network.conf
	DESTINATION usr/share/postern-gateway COMPONENT gateway)
install(FILES systemd/haproxy.cfg systemd/nginx.conf
	DESTINATION usr/share/doc/postern-gateway/examples COMPONENT gateway)
install(DIRECTORY docs/demo-realm
	DESTINATION usr/share/doc/postern-gateway/examples COMPONENT gateway)

package_service(engine postern-engine.service postern-engine@.service)
package_documents(engine ${guides})
install(FILES systemd/engine-tls.conf RENAME tls.conf
	DESTINATION usr/share/postern-engine COMPONENT engine)
install(FILES systemd/engine-http.conf RENAME http.conf
	DESTINATION usr/share/postern-engine COMPONENT engine)

set(CPACK_COMPONENTS_ALL gateway engine)
if(TARGET postern)
	package_command()
endif()

set(CPACK_GENERATOR DEB)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_PACKAGING_INSTALL_PREFIX /)
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGE_NAME postern)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT
	"Postern maintainers <postern@packages.debian.org>")
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE
	OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_PACKAGE_RELEASE ${POSTERN_DEB_REVISION})
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_GATEWAY_DESCRIPTION
"gateway that puts scripts behind OAuth 2.0 and OpenID Connect
Clients register users with it; it has engines run the scripts that decide,
and turns their verdicts into tokens. It keeps its own store.")
set(CPACK_DEBIAN_ENGINE_DESCRIPTION
"engine that runs the scripts of a Postern gateway
It pulls work from a gateway and runs each script in a sandboxed process of
its own. Any number of engines can serve one gateway.")
set(CPACK_DEBIAN_POSTERN_PACKAGE_NAME postern)
set(CPACK_DEBIAN_POSTERN_DESCRIPTION
"command line for a Postern gateway and its scripts
It configures a gateway over its API, shows what happened, and runs and tests
scripts without one (for which it needs postern-engine).")
set(CPACK_DEBIAN_POSTERN_PACKAGE_RECOMMENDS "postern-engine")
set(CPACK_DEBIAN_GATEWAY_PACKAGE_RECOMMENDS "postern-engine, postern")
set(CPACK_DEBIAN_GATEWAY_PACKAGE_SUGGESTS "haproxy, openssl")
set(CPACK_DEBIAN_ENGINE_PACKAGE_RECOMMENDS "ca-certificates")
include(CPack)
