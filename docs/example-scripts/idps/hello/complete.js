function execute(requestPayload) {
  if (requestPayload === null || requestPayload.name === undefined) {
    return { status: 4000, responsePayload: { message: "who are you?" } };
  }
  return {
    status: 2000,
    responsePayload: { greeting: "Hello " + requestPayload.name },
    user: { id: "demo-user", given_name: requestPayload.name }
  };
}
