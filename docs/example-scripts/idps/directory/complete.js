function execute(requestPayload) {
  var name = requestPayload && requestPayload.username;
  var password = requestPayload && requestPayload.password;
  if (typeof name !== "string" || typeof password !== "string") {
    return { status: 4000, responsePayload: { message: "expects username and password" } };
  }
  var answer = HTTP.post(PROPERTIES.directory_url + "/login",
      { username: name, password: password });
  if (answer.status === 401) {
    LOG.info("the directory refused {}", name);
    return { status: 4002, responsePayload: { message: "wrong password" } };
  }
  if (answer.status !== 200) {
    throw new Error("the directory answered " + answer.status);
  }
  var person = answer.json();
  return {
    status: 2000,
    user: { id: person.id, amr: ["pwd"], email: person.mail, department: person.department }
  };
}
